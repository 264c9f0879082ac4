// SPDX-License-Identifier: Apache-2.0
import { expect, it } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inTurn } from '#infra/deploy/turn.ts'

const fresh = () => join(mkdtempSync(join(tmpdir(), 'ampere-turn-')), 'dist', 'aws.turn')

it('one waits until the other has ended, and says so once', async () => {
  const file = fresh()
  const said: string[] = []
  const order: string[] = []
  const say = (line: string) => void said.push(line)
  const act = (name: string) => async () => {
    order.push(`${name} begins`)
    await new Promise((resolve) => setImmediate(resolve))
    order.push(`${name} ends`)
  }
  await Promise.all([inTurn(file, say, act('a')), inTurn(file, say, act('b'))])
  expect(order).toEqual(['a begins', 'a ends', 'b begins', 'b ends'])
  expect(said).toHaveLength(1)
  expect(existsSync(file)).toBe(false)
})

it('the turn of a process that was killed is taken over, and a failure gives it back', async () => {
  const file = fresh()
  await inTurn(
    file,
    () => {},
    async () => {},
  )
  const { pid } = spawnSync(process.execPath, ['--version'])
  writeFileSync(file, String(pid))
  const failing = inTurn(
    file,
    () => {},
    async () => {
      throw new Error('what was done failed')
    },
  )
  await expect(failing).rejects.toThrow('what was done failed')
  expect(existsSync(file)).toBe(false)
})
