import { policy, type Policy } from 'holdfast'

export interface AnswerCounter {
  /** Stands around the policies that are tested. */
  readonly policy: Policy
  /** The most answers that any one call was given. */
  readonly most: number
}

/** Counts the answers to each call: promises hide that there was a second one. */
export function answerCounter(): AnswerCounter {
  let most = 0
  return {
    policy: policy({
      name: 'answer-counter',
      parts: {
        kind: 'flow',
        start: (next, call, out) => {
          let answers = 0
          next.start(call, {
            settle: (ok, value) => {
              most = Math.max(most, ++answers)
              out.settle(ok, value)
            },
          })
        },
      },
    }),
    get most() {
      return most
    },
  }
}
