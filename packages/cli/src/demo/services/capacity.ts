/** Places to work at, and a queue in front of them. */
export interface Capacity {
  /**
   * A place, at once or when one becomes free; undefined when the queue is full.
   * @throws the signal's reason when the client leaves the queue.
   */
  enter(gone: AbortSignal): Promise<Place | undefined>
  readonly busy: number
  readonly queued: number
}

export interface Place {
  /** Gives the place to the next in the queue. Only the first call counts. */
  leave(): void
}

interface Waiter {
  readonly admit: (place: Place) => void
}

export function capacity(maxConcurrent: number, maxQueued: number): Capacity {
  let busy = 0
  const queue: Waiter[] = []

  const newPlace = (): Place => {
    let left = false
    return {
      leave: () => {
        if (left) return
        left = true
        const next = queue.shift()
        if (next === undefined) busy--
        else next.admit(newPlace())
      },
    }
  }

  const wait = (gone: AbortSignal): Promise<Place> =>
    new Promise((resolve, reject) => {
      const leaveQueue = (): void => {
        queue.splice(queue.indexOf(waiter), 1)
        reject(gone.reason as Error)
      }
      const waiter: Waiter = {
        admit: (place) => {
          gone.removeEventListener('abort', leaveQueue)
          resolve(place)
        },
      }
      queue.push(waiter)
      gone.addEventListener('abort', leaveQueue, { once: true })
    })

  return {
    enter: async (gone) => {
      gone.throwIfAborted()
      if (busy < maxConcurrent) {
        busy++
        return newPlace()
      }
      return queue.length < maxQueued ? wait(gone) : undefined
    },
    get busy() {
      return busy
    },
    get queued() {
      return queue.length
    },
  }
}
