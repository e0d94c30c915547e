/**
 * What every proxy program of the benchmark does: listens on a free port, says which, and ends with the benchmark.
 * @param {import('node:net').Server} server
 */
export function listen(server) {
  server.listen(0, '127.0.0.1', () => {
    const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
    console.log(`listening ${port}`)
  })
  process.stdin.resume().once('end', () => process.exit(0))
}

/** The upstream to forward to: the program's argument. */
export function givenUpstream() {
  return new URL(process.argv[2] ?? 'http://127.0.0.1:9000')
}
