import { signal } from '@preact/signals'
import { RibbonSwatch } from '../overview/ribbon-swatch.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { StateGlyph } from '../ui/state-glyph.tsx'
import { stateWords, type ShownState } from '../words/state-words.ts'

export const isHelpOpen = signal(false)

const keys: readonly (readonly [readonly string[], string])[] = [
  [['/'], 'search or filter'],
  [['j', 'k'], 'next and previous row'],
  [['Enter'], 'open the row'],
  [['←', '→'], 'move the crosshair'],
  [['Esc'], 'close, clear, back'],
  [['?'], 'this list'],
]

/** The keys, and what every state looks like and means. */
export function HelpDialog() {
  if (!isHelpOpen.value) return null
  return (
    <Dialog title="Keys and states" onClose={() => (isHelpOpen.value = false)}>
      <dl class="keys">
        {keys.map(([names, meaning]) => (
          <>
            <dt>
              {names.map((name) => (
                <>
                  <kbd>{name}</kbd>{' '}
                </>
              ))}
            </dt>
            <dd>{meaning}</dd>
          </>
        ))}
      </dl>
      <table class="state-table">
        <tbody>
          {(Object.keys(stateWords) as ShownState[]).map((state) => (
            <tr key={state}>
              <th scope="row">
                <StateGlyph state={state} />
                {stateWords[state].name}
              </th>
              <td>
                <RibbonSwatch state={state} />
              </td>
              <td class="quiet">{stateWords[state].meaning}</td>
            </tr>
          ))}
          <tr>
            <th scope="row">set by hand</th>
            <td>
              <RibbonSwatch state="open" isForced />
            </td>
            <td class="quiet">any state with an outline: a person set it, with a reason</td>
          </tr>
        </tbody>
      </table>
    </Dialog>
  )
}
