// SPDX-License-Identifier: Apache-2.0
import { beforeAll } from '@jest/globals'
import { freshFolder, jsonOf, run, testPort } from '../harness.ts'
import { told } from '../told.ts'

/** A told demo that no test changes: those that do, copy it. */
export interface ToldDemo {
  readonly folder: string
  /** Id of its record; once the tests run. */
  readonly record: string
  /** The first characters of that, by which commands are told. */
  readonly short: string
}

/** Tells the demo once for all tests of a file; `port` is one that no other file takes (`testPort`). */
export function toldDemo(port = 1): ToldDemo {
  const folder = freshFolder()
  const said: { record: string } = { record: '' }
  beforeAll(async () => {
    const start = ['start', '--demo', '--no-witness', '--once', '--json']
    said.record = String(jsonOf(await run([...start, '--data', folder, '--port', testPort(port)]))['record'])
  }, 60_000)
  return {
    folder,
    get record() {
      return said.record
    },
    get short() {
      return said.record.slice(0, 8)
    },
  }
}

export interface Block {
  readonly height: number
  readonly type: string
  readonly status: string
  readonly entries: Record<string, number>
  readonly does: string
  readonly author: string
}

/** The blocks of the record, as they are shown in a folder. */
export const blocksOf = async ({ short }: ToldDemo, folder: string) =>
  (await told(folder, 'chain', 'show', short))['items'] as Block[]

export const DAY_MS = 86_400_000
