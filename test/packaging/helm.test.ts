import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatProblem, loadConfig, type ReliabilityConfig } from '@holdfast/server'
import { Ajv } from 'ajv'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { readJson, root } from '../../tools/workspace.mjs'
import { readSourceFiles } from '../support/source-files.ts'
import { commandIn } from './command-line.ts'
import { smallTemplates } from './small-template.ts'

type Tree = Readonly<Record<string, any>> // oxlint-disable-line typescript/no-explicit-any -- documents of a cluster, read path by path

const chart = join(root, 'packaging/helm/holdfast')
const templates = smallTemplates(readSourceFiles(join(chart, 'templates'), join(chart, 'templates'), () => true))
const isValid = new Ajv({ strict: true, strictRequired: false, allowUnionTypes: true, strictTypes: false }).compile(
  readJson(join(chart, 'values.schema.json')),
)
const metadata = parse(readFileSync(join(chart, 'Chart.yaml'), 'utf8')) as {
  readonly name: string
  readonly version: string
  readonly appVersion: string
}
const defaults = readYaml('values.yaml')
const example = merged(defaults, readYaml('examples/values.yaml'))
const least = merged(defaults, { secretName: 'keys' })

let folder: string
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'holdfast-helm-'))))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('the values', () => {
  it('say what is missing: the defaults are whole but for the name of the Secret', () => {
    expect(isValid(defaults)).toBe(false)
    expect(isValid.errors?.map(({ instancePath }) => instancePath)).toEqual(['/secretName', '/secretName'].slice(0, isValid.errors?.length))
    expect(() => manifests(defaults)).toThrow('secretName: name of a Secret')
    expect(isValid(least), JSON.stringify(isValid.errors)).toBe(true)
    expect(isValid(example), JSON.stringify(isValid.errors)).toBe(true)
  })

  it.each<[string, Tree]>([
    ['a token in clear, which would lie in a ConfigMap', { tokens: [{ name: 'a', role: 'operate', value: 'hush-hush-hush-hush' }] }],
    ['no token', { tokens: [] }],
    ['the tag latest', { image: { tag: 'latest' } }],
    ['a digest that is none', { image: { digest: 'sha256:abc' } }],
    ['two replicas in one folder', { persistence: { existingClaim: 'data' } }],
    ['another address for a listener', { control: { host: '127.0.0.1' } }],
    ['server settings in the wrong place', { config: { server: {} } }],
    ['an ingress without a host', { ingress: { enabled: true } }],
    ['no memory limit', { resources: { limits: null } }],
    ['a key that is misspelt', { replica: 3 }],
  ])('are refused with %s', (_what, change) => {
    expect(isValid(merged(least, change))).toBe(false)
  })

  it('describe every key there is', () => {
    const known = Object.keys(readJson(join(chart, 'values.schema.json')).properties)
    expect(known.toSorted()).toEqual(['global', ...Object.keys(defaults)].toSorted())
  })
})

describe.each<[string, Tree]>([
  ['the least values', least],
  ['the example', example],
  ['everything changed', merged(example, changedEverywhere())],
])('with %s', (_name, values) => {
  it('the configuration in the ConfigMap is valid, and open to the cluster only with tokens', () => {
    const { server } = configOf(values)
    expect([server.gateway.host, server.control.host]).toEqual(['0.0.0.0', '0.0.0.0'])
    expect(server.tokens.length).toBeGreaterThan(0)
    expect(server.control.allowedHosts).toContain('10.1.2.3')
  })

  it('ports, folders and times fit together', () => {
    const { server } = configOf(values)
    const pod = podOf(values)
    const [container] = pod.containers
    expect(container.ports).toEqual([
      { name: 'gateway', containerPort: server.gateway.port },
      { name: 'control', containerPort: server.control.port },
    ])
    const data = container.volumeMounts.find(({ name }: Tree) => name === 'data')
    expect(server.dataDir.startsWith(`${data.mountPath}/`)).toBe(true)
    const needed = server.gateway.shutdownGrace / 1_000 + Number(container.lifecycle.preStop.exec.command[1])
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(needed)
  })

  it('the container starts as its image does, asked for its health in a way that the listener answers', async () => {
    const [container] = podOf(values).containers
    expect(await commandIn(container.args)).toBe('serve')
    expect(readFileSync(join(root, 'packaging/docker/Dockerfile'), 'utf8')).toContain(
      `CMD ${JSON.stringify(container.args).replace(',', ', ')}`,
    )
    const paths = ['startupProbe', 'livenessProbe', 'readinessProbe'].map((name) => {
      expect(container[name].httpGet).toMatchObject({ port: 'control', httpHeaders: [{ name: 'Host', value: 'localhost' }] })
      return container[name].httpGet.path
    })
    expect(paths).toEqual(['/health/alive', '/health/alive', '/health/ready'])
  })

  it('the pod may do little: no root, no privilege, nothing to write but its folders, no token of the cluster, limits', () => {
    const pod = podOf(values)
    const [container, ...others] = pod.containers
    expect(others).toEqual([])
    expect(pod).toMatchObject({
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    })
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    })
    const [, user] = /^USER (\d+):/m.exec(readFileSync(join(root, 'packaging/docker/Dockerfile'), 'utf8')) ?? []
    expect(pod.securityContext.runAsUser).toBe(Number(user))
    expect(container.resources).toMatchObject({
      requests: { cpu: expect.anything(), memory: expect.anything() },
      limits: { memory: expect.anything() },
    })
    expect(pod.hostNetwork ?? pod.hostPID ?? pod.hostIPC).toBeUndefined()
  })

  it('the configuration is mounted as a folder, so that a change reaches the running process', () => {
    const pod = podOf(values)
    const mount = pod.containers[0].volumeMounts.find(({ name }: Tree) => name === 'config')
    expect(mount).toEqual({ name: 'config', mountPath: '/etc/holdfast', readOnly: true })
    expect(pod.volumes[0]).toEqual({ name: 'config', configMap: { name: only(values, 'ConfigMap').metadata.name } })
    expect(JSON.stringify(only(values, 'Deployment').spec.template)).not.toContain('checksum')
  })

  it('selectors hold what never changes, and find the pods', () => {
    const { spec } = only(values, 'Deployment')
    const selector = { 'app.kubernetes.io/name': 'holdfast', 'app.kubernetes.io/instance': 'gateway' }
    expect(spec.selector.matchLabels).toEqual(selector)
    expect(spec.template.metadata.labels).toMatchObject(selector)
    for (const service of all(values, 'Service')) expect(service.spec.selector).toEqual(selector)
    for (const budget of all(values, 'PodDisruptionBudget')) expect(budget.spec.selector.matchLabels).toEqual(selector)
  })

  it('every object has a name of its own kind, and the labels of the chart; the image has a version', () => {
    const names = manifests(values).map(({ kind, metadata: { name } }) => `${kind} ${name}`)
    expect(new Set(names).size).toBe(names.length)
    for (const each of manifests(values)) expect(each.metadata.labels).toMatchObject({ 'app.kubernetes.io/version': metadata.appVersion })
    expect(podOf(values).containers[0].image).toMatch(/^[^:@]+(:\d+\.\d+\.\d+|@sha256:[0-9a-f]{64})$/)
  })

  it('the notes name both listeners', () => {
    const notes = templates.render('NOTES.txt', release(values))
    expect(notes).toContain(`http://${only(values, 'Deployment').metadata.name}.default:${values.service.gatewayPort}/`)
  })
})

describe('the optional parts', () => {
  it('are left out by default', () => {
    const kinds = manifests(least).map(({ kind }) => String(kind))
    expect(kinds).toHaveLength(6)
    expect(new Set(kinds)).toEqual(new Set(['ConfigMap', 'Deployment', 'PodDisruptionBudget', 'Service', 'ServiceAccount']))
  })

  it('the ingress leads to the control listener, which answers for its host', () => {
    const { spec } = only(example, 'Ingress')
    const [rule] = spec.rules
    expect(all(example, 'Service').map(({ metadata: { name } }) => name)).toContain(rule.http.paths[0].backend.service.name)
    expect(rule.http.paths[0].backend.service.port.name).toBe('control')
    expect(configOf(example).server.control.allowedHosts).toContain(rule.host)
  })

  it('the service monitor finds the control service only, and shows a token', () => {
    const { spec } = only(example, 'ServiceMonitor')
    const found = all(example, 'Service').filter(({ metadata: { labels } }) =>
      Object.entries(spec.selector.matchLabels).every(([key, value]) => labels[key] === value),
    )
    expect(found.map(({ metadata: { name } }) => name)).toEqual(['gateway-holdfast-control'])
    expect(spec.endpoints[0].authorization.credentials).toEqual({ name: 'holdfast', key: 'HOLDFAST_METRICS_TOKEN' })
  })

  it('the network policy with no peers lets nobody in', () => {
    const closed = merged(example, { networkPolicy: { gatewayFrom: [], controlFrom: [] } })
    expect(only(closed, 'NetworkPolicy').spec.ingress).toBeNull()
    expect(only(example, 'NetworkPolicy').spec.ingress.map(({ ports }: Tree) => ports[0].port)).toEqual(['gateway', 'control'])
  })

  it('a claim is used by one pod at a time', () => {
    const values = merged(least, { persistence: { existingClaim: 'data' }, replicas: 1 })
    expect(isValid(values)).toBe(true)
    expect(only(values, 'Deployment').spec.strategy).toEqual({ type: 'Recreate' })
  })
})

it('the chart has the version of what it installs', () => {
  const { version } = readJson(join(root, 'package.json'))
  expect(metadata).toMatchObject({ version, appVersion: version })
})

function changedEverywhere(): Tree {
  return {
    fullnameOverride: 'edge',
    image: { digest: `sha256:${'a'.repeat(64)}` },
    imagePullSecrets: [{ name: 'registry' }],
    allowedHosts: ['one.example', 'two.example'],
    service: { type: 'LoadBalancer', gatewayPort: 80, annotations: { a: 'b' } },
    serviceAccount: { create: false, name: 'other' },
    podAnnotations: { a: 'b' },
    podLabels: { team: 'reliability' },
    nodeSelector: { disk: 'ssd' },
    tolerations: [{ key: 'a', operator: 'Exists' }],
    affinity: { nodeAffinity: {} },
    topologySpread: { enabled: false },
    ingress: { annotations: { a: 'b' } },
    serviceMonitor: { labels: { release: 'prometheus' } },
  }
}

function readYaml(path: string): Tree {
  return parse(readFileSync(join(chart, path), 'utf8')) as Tree
}

/** As Helm puts values over defaults: maps key by key, everything else as a whole, null takes a key away. */
function merged(under: Tree, over: Tree): Tree {
  const result: Record<string, unknown> = { ...under }
  for (const [key, value] of Object.entries(over)) {
    if (value === null) delete result[key]
    else result[key] = isMap(value) && isMap(result[key]) ? merged(result[key], value) : value
  }
  return result
}

function isMap(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function release(values: Tree): Readonly<Record<string, unknown>> {
  const chartData = { Name: metadata.name, AppVersion: metadata.appVersion }
  return { Values: values, Chart: chartData, Release: { Name: 'gateway', Namespace: 'default', Service: 'Helm' } }
}

/** Every document of every template. */
function manifests(values: Tree): readonly Tree[] {
  const files = [...readSourceFiles(join(chart, 'templates'), join(chart, 'templates'), (path) => path.endsWith('.yaml')).keys()]
  return files.flatMap((file) =>
    parseAllDocuments(templates.render(file, release(values))).flatMap((document) => {
      expect(document.errors, file).toEqual([])
      return document.contents === null ? [] : [document.toJS() as Tree]
    }),
  )
}

function all(values: Tree, kind: string): readonly Tree[] {
  return manifests(values).filter((each) => each['kind'] === kind)
}

function only(values: Tree, kind: string): Tree {
  const found = all(values, kind)
  expect(found.length, kind).toBe(1)
  return found[0]!
}

function podOf(values: Tree): Tree {
  return only(values, 'Deployment')['spec'].template.spec as Tree
}

/** The configuration as a pod with the address 10.1.2.3 reads it. */
function configOf(values: Tree): ReliabilityConfig {
  const path = join(folder, 'reliability.yml')
  writeFileSync(path, only(values, 'ConfigMap')['data']['reliability.yml'])
  const secrets = { HOLDFAST_TOKEN: 'o'.repeat(24), HOLDFAST_METRICS_TOKEN: 'm'.repeat(24), OPENAI_API_KEY: 'k' }
  const loaded = loadConfig(path, { env: { POD_IP: '10.1.2.3', ...secrets } })
  if (!loaded.ok) throw new Error(loaded.errors.map(formatProblem).join('\n'))
  return loaded.config
}
