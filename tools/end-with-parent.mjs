const pollMs = 500

/**
 * Ends this tool when the shell that npm ran it in is gone: npm hands a signal to that shell only, which dies of it without telling anyone.
 * Does nothing when npm did not start the tool.
 */
export function endWithParent() {
  if (process.env.npm_lifecycle_event === undefined) return
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(timer)
    process.kill(process.pid, 'SIGTERM')
  }, pollMs)
  timer.unref()
}
