import { expect, it } from 'vitest'
import { Answer } from './answer.ts'

const quietSource = { resume: () => undefined, discard: () => undefined }

it('takes a short body before anyone wants it, and makes the upstream of a long one wait', () => {
  const answer = new Answer(200, 'OK', [], quietSource)
  expect(answer.push(Buffer.alloc(1_024))).toBe(true)
  expect(answer.push(Buffer.alloc(8 * 1_024))).toBe(true)
  expect(answer.push(Buffer.alloc(8 * 1_024))).toBe(false)
})

it('hands all that came early to whoever delivers it, in order, and then asks for the rest', () => {
  let resumed = 0
  const answer = new Answer(200, 'OK', [], { ...quietSource, resume: () => resumed++ })
  answer.push(Buffer.from('a'))
  answer.push(Buffer.from('b'))
  const received: string[] = []
  answer.deliverTo({
    data: (chunk) => {
      received.push(chunk.toString())
      return true
    },
    end: () => received.push('end'),
    fail: (error) => received.push(error.message),
  })
  expect([received.join(' '), resumed]).toEqual(['a b', 1])
  answer.push(Buffer.from('c'))
  answer.end()
  expect(received.join(' ')).toBe('a b c end')
})
