import { expect, it } from 'vitest'
import { smallTemplates } from './small-template.ts'

const data = { Values: { name: 'kelp', empty: '', list: ['a', 'b'], map: { x: '1' }, off: false, count: 3 } }
const render = (text: string): string => smallTemplates(new Map([['file', text]])).render('file', data)

it.each([
  ['{{ .Values.name }} {{ .Values.count }}', 'kelp 3'],
  ['a\n  {{- if .Values.off }}\nb\n  {{- else }}\nc\n  {{- end }}\nd', 'a\nc\nd'],
  ['x{{ range .Values.list }}-{{ . }}{{ end }}', 'x-a-b'],
  ['{{ .Values.empty | default "none" | quote }}', '"none"'],
  ['{{ printf "%s-%s" .Values.name (default "b" .Values.empty) | trunc 5 | trimSuffix "-" }}', 'kelp'],
  ['m:\n  {{- toYaml .Values.map | nindent 2 }}', 'm:\n  x: "1"'],
  ['{{- define "it" -}}\n[{{ .Values.name }}]\n{{- end }}{{ include "it" . }}', '[kelp]'],
])('renders %j as Helm does', (text, expected) => {
  expect(render(text)).toBe(expected)
})

it.each([
  ['{{ .Values.nmae }}', 'there is no value .Values.nmae'],
  ['{{ lookup "v1" "Secret" }}', 'not in the subset: lookup'],
  ['{{ with .Values.map }}{{ end }}', 'not in the subset: with'],
  ['{{ .Values.map }}', 'use toYaml'],
  ['{{ if .Values.off }}', 'a block without else or end'],
  ['{{ required "say a name" .Values.empty }}', 'say a name'],
  ['{{ .Values.name', "'{{' without '}}'"],
])('refuses %j', (text, message) => {
  expect(() => render(text)).toThrow(message)
})
