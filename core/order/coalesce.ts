// SPDX-License-Identifier: Apache-2.0

/**
 * Lets `act` run once at a time. Who asks while it runs gets what the next run gives, shared with all who ask until
 * that begins: each run begins after it was asked for, so its answer is never older than the question.
 */
export function coalesce<T>(act: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | null = null
  let next: Promise<T> | null = null
  const start = (): Promise<T> => {
    next = null
    const run = act()
    running = run
    const end = () => {
      if (running === run) running = null
    }
    run.then(end, end)
    return run
  }
  return () => {
    if (next) return next
    if (!running) return start()
    next = running.then(start, start)
    return next
  }
}
