import { expect, it } from 'vitest'
import { negotiateMetricsFormat } from './negotiate.ts'

const prometheus2 =
  'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1'
const prometheus3 =
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,' +
  'text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2'
const browser = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8'

it.each([
  ['a missing header', undefined, 'prometheus'],
  ['an empty header', '', 'prometheus'],
  ['curl', '*/*', 'prometheus'],
  ['a browser', browser, 'prometheus'],
  ['Prometheus 2', prometheus2, 'openmetrics'],
  ['Prometheus 3', prometheus3, 'openmetrics'],
  ['Prometheus that asks for text only', 'text/plain;version=0.0.4;q=1,*/*;q=0.1', 'prometheus'],
  ['the higher q value, not the order', 'application/openmetrics-text;q=0.4, text/plain;q=0.5', 'prometheus'],
  ['q values of three digits', 'text/plain;q=0.123,application/openmetrics-text;q=0.124', 'openmetrics'],
  ['capitals, blanks and quotes', ' Application/OpenMetrics-Text ; Version="1.0.0" ; Q=0.9 , text/plain;q=0.8', 'openmetrics'],
  ['a comma inside quotes', 'text/plain;note="a,b";q=0.1,application/openmetrics-text;q=0.2', 'openmetrics'],
  ['a version nobody speaks', 'application/openmetrics-text;version=2.0.0', 'prometheus'],
  ['OpenMetrics without a version', 'application/openmetrics-text', 'openmetrics'],
  ['a range over all application types', 'application/*', 'openmetrics'],
  ['the precise name before the range of equal weight', '*/*, application/openmetrics-text', 'openmetrics'],
  ['the precise refusal before the range', 'application/openmetrics-text;q=0, */*', 'prometheus'],
  ['a weight that cannot be read', 'application/openmetrics-text;q=high, text/plain;q=0.1', 'prometheus'],
  ['both refused', 'application/openmetrics-text;q=0, text/plain;q=0', 'prometheus'],
  ['something else', 'application/json', 'prometheus'],
] as const)('36: chooses the format for %s', (_case, accept, format) => {
  expect(negotiateMetricsFormat(accept)).toBe(format)
})
