import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const manifest = createRequire(import.meta.url)('../package.json') as { readonly version: string }

/** The version of this package. */
export const version: string = manifest.version

/** Folder of the page's files, built from packages/dashboard. The same from the source as from the build: both lie one folder below the package. */
export const pageDirectory: string = fileURLToPath(new URL('../assets/dashboard', import.meta.url))
