// SPDX-License-Identifier: Apache-2.0
import { fork, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'

/** A program of children/ in a process of its own. */
export interface Child<Answer> {
  /** What it said first, when it was ready. */
  readonly ready: Answer
  /** Sends a message and waits for the answer. */
  ask(message: object | string): Promise<Answer>
  /** Tells it to end, and waits until it has. */
  end(): Promise<void>
}

/** Starts a program and waits until it is ready; one that fails rejects whoever waits. */
export async function startChild<Answer>(program: string, args: readonly string[]): Promise<Child<Answer>> {
  const child = fork(join(import.meta.dirname, '../children', program), [...args], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
  })
  const ready = await nextMessage<Answer>(child, program)
  return {
    ready,
    ask: (message) => {
      const answer = nextMessage<Answer>(child, program)
      child.send(message)
      return answer
    },
    end: async () => {
      const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
      child.send('end')
      await ended
    },
  }
}

function nextMessage<Answer>(child: ChildProcess, program: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const failed = (code: number | null) => reject(new Error(`${program} ended with ${code}`))
    child.once('exit', failed)
    child.once('message', (message) => {
      child.off('exit', failed)
      resolve(message as Answer)
    })
  })
}
