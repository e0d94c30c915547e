/** What the upstream answers to everything: 1 KiB of JSON. */
export const payload: string = (() => {
  const head = '{"model":"bench","text":"'
  const tail = '"}'
  return head + 'x'.repeat(1_024 - head.length - tail.length) + tail
})()
