import * as z from 'zod'
import { choice } from './scalars.ts'
import { section } from './section.ts'

/** Certificate of a listener. In a resolved configuration the paths are absolute. */
export interface ListenerTlsSettings {
  readonly certFile: string
  readonly keyFile: string
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3'
}

function pemFile(): z.ZodString {
  return z.string({ error: 'must be a text' }).min(1, { error: 'must name a file' })
}

export const listenerTlsSchema: z.ZodType<ListenerTlsSettings> = section(
  {
    certFile: pemFile().describe(
      'File with the certificate (PEM) that the listener shows, and those between it and its authority. Read again when it changes.',
    ),
    keyFile: pemFile().describe('File with its private key (PEM), not encrypted.'),
    minVersion: choice(['TLSv1.2', 'TLSv1.3']).prefault('TLSv1.2').describe('Oldest version of TLS that is spoken.'),
  },
  { aliases: { cert: 'certFile', key: 'keyFile', minimumVersion: 'minVersion' } },
).meta({ id: 'listenerTls' })
