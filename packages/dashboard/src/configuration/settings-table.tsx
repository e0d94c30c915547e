import type { SettingView } from '@holdfast/server/wire'
import './configuration.css'
import { provenanceText } from './provenance-text.ts'

/** A setting, with its place in the configuration where that is not plain from the page. */
export type ListedSetting = SettingView & { readonly path?: string }

/** Settings in force, each with where it comes from. What somebody decided stands out against what is default. */
export function SettingsTable({ settings, caption }: { readonly settings: readonly ListedSetting[]; readonly caption: string }) {
  return (
    <div class="wide">
      <table class="settings">
        <caption class="unseen">{caption}</caption>
        <thead>
          <tr>
            <th scope="col">Setting</th>
            <th scope="col">Value</th>
            <th scope="col">From</th>
          </tr>
        </thead>
        <tbody>
          {settings.map((setting) => (
            <tr key={`${setting.path ?? ''} ${setting.name}`} data-source={setting.source}>
              <th scope="row">{setting.path ?? setting.name}</th>
              <td>{setting.value}</td>
              <td class="provenance">{provenanceText(setting)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
