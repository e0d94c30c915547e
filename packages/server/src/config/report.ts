import type { SettingPath } from './path-text.ts'

/** Takes what the configuration as a whole shows: paths are those of the resolved configuration. */
export type Report = (severity: 'problem' | 'warning', path: SettingPath, message: string, suggestion?: string) => void
