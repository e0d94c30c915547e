interface Task {
  proceed(): void
}

let queue: Task[] = []
let spare: Task[] = []
let scheduled = false

/**
 * Runs `task.proceed()` in a microtask, in the order of the calls. One microtask serves all tasks that are waiting, and
 * tasks added meanwhile join it: a chain of 20,000 grants needs no recursion.
 */
export function runSoon(task: Task): void {
  queue.push(task)
  if (scheduled) return
  scheduled = true
  queueMicrotask(drain)
}

function drain(): void {
  while (queue.length > 0) {
    const batch = queue
    queue = spare
    for (const task of batch) {
      try {
        task.proceed()
      } catch (error) {
        rethrowLater(error)
      }
    }
    batch.length = 0
    spare = batch
  }
  scheduled = false
}

/** A layer that throws is broken; it must be heard, and the other tasks must go on. */
function rethrowLater(error: unknown): void {
  queueMicrotask(() => {
    throw error
  })
}
