// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import { readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { copyOf, freshFolder, testPort } from '../harness.ts'
import { lines, told } from '../told.ts'

const folder = freshFolder()
const WAY_OUT =
  'move home/ampere.db* and home/objects away (keep home/keys.json), then npx ampere mirror restore'

beforeAll(async () => {
  await told(folder, 'init', '--institution', 'st-anne=St Anne', '--port', testPort(28))
  await told(folder, 'instance', 'enrol')
  // The bridge's folder is made when it is first used.
  await told(folder, 'chain', 'list')
})

const DAMAGES: readonly (readonly [string, (file: string) => void])[] = [
  ['overwritten here and there', (file) => overwrite(file, 28 * 1024)],
  ['cut', (file) => truncateSync(file, statSync(file).size / 2)],
  [
    'another file',
    (file) => writeFileSync(file, 'no database, but long enough to have a header of one'.repeat(40)),
  ],
]

function overwrite(file: string, every: number): void {
  const bytes = readFileSync(file)
  for (let at = every; at < bytes.length; at += every) bytes.fill(0x5a, at, at + 64)
  writeFileSync(file, bytes)
}

function damaged(where: string, damage: (file: string) => void): string {
  const copy = copyOf(folder)
  for (const name of ['-wal', '-shm']) rmSync(join(copy, where, `ampere.db${name}`), { force: true })
  damage(join(copy, where, 'ampere.db'))
  return copy
}

describe('a database of a home that cannot be read', () => {
  it.each(DAMAGES)(
    'because it is %s is said with the way out, by doctor and whoever meets it',
    async (_, damage) => {
      const copy = damaged('home', damage)
      for (const command of [['audit'], ['verify', '--all'], ['chain', 'list']]) {
        const { code, out, err } = await lines(copy, ...command)
        expect({ command, code, says: `${out}${err}` }).toEqual({
          command,
          code: 1,
          says: expect.stringContaining(WAY_OUT),
        })
      }
      const { code, out } = await lines(copy, 'doctor')
      expect({ code, out }).toEqual({ code: 1, out: expect.stringContaining(WAY_OUT) })
      expect(out).toContain(`${join(copy, 'home', 'ampere.db')} is damaged`)
      expect(out).not.toContain('npx ampere audit')
      expect(out).toContain('never start a copy that the home went on after')
    },
  )

  it('is told from one of a bridge, which is built anew', async () => {
    const where = join('institutions', 'st-anne', 'bridge')
    const { out } = await lines(
      damaged(where, (file) => overwrite(file, 4096)),
      'doctor',
    )
    expect(out).toMatch(/WRONG {2}Data files .*st-anne\/bridge\/ampere\.db is damaged/)
    expect(out).not.toContain(WAY_OUT)
  })

  it('is told from one that is not there, which a mirror restores', async () => {
    const copy = copyOf(folder)
    rmSync(join(copy, 'home', 'ampere.db'))
    const { out } = await lines(copy, 'doctor')
    expect(out).toMatch(
      /ampere\.db is not there[^\n]*\n *Next: npx ampere mirror restore .*never start a copy/,
    )
  })

  it('is not said of a folder that is whole', async () => {
    expect((await lines(folder, 'doctor')).out).toContain('2 databases can be read from end to end')
  })
})
