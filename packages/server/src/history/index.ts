export { History } from './history.ts'
export { historyRanges } from './history-answers.ts'
export { stateOf } from './policy-state.ts'
