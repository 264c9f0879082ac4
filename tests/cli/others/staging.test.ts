// SPDX-License-Identifier: Apache-2.0
import { afterAll, describe, expect, it } from '@jest/globals'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLocal } from '#adapters/local/open.ts'
import { finishTaking, openStaging, stepsToTake, type Taken } from '#cli/mirror/staging.ts'

const PASSPHRASE = { text: 'of a test that protects nothing', masters: new Map(), isRandom: true }
const FROM = '/data/mirror'
const root = mkdtempSync(join(tmpdir(), 'ampere-staging-'))
afterAll(() => rmSync(root, { recursive: true }))

/** A lost home with its key file, and a restored one beside it, which is told by a file. */
async function restored() {
  const folder = mkdtempSync(join(root, 'case-'))
  const home = openLocal({ folder: join(folder, 'home'), passphrase: PASSPHRASE })
  await home.signer('head')
  await home.close()
  const { platform } = await openStaging(folder, FROM, PASSPHRASE)
  await platform.close()
  writeFileSync(join(folder, 'home.restoring', 'told-by'), 'restored')
  writeFileSync(join(folder, 'home', 'told-by'), 'lost')
  const report = { chains: 3, losses: [] }
  const taken = { report, since: null, kept: join(folder, 'home.lost-1') } as unknown as Taken
  return { folder, taken, steps: stepsToTake(folder, taken) }
}

const toldBy = (folder: string) => readFileSync(join(folder, 'home', 'told-by'), 'utf8')

describe('a restored home that takes its place', () => {
  it('has it in the end, whatever step was the last before a crash', async () => {
    const { length } = (await restored()).steps
    const finished: boolean[] = []
    for (let done = 0; done <= length; done++) {
      const { folder, taken, steps } = await restored()
      for (const step of steps.slice(0, done)) step()
      const left = finishTaking(folder)
      finished.push(left !== null)
      if (left) expect(left).toEqual(taken)
      else if (done < length) {
        // The lost one is where it was, and the restore is gone on with.
        expect(toldBy(folder)).toBe('lost')
        const { isResumed, platform } = await openStaging(folder, FROM, PASSPHRASE)
        await platform.close()
        expect(isResumed).toBe(true)
        continue
      }
      expect(toldBy(folder)).toBe('restored')
      expect(existsSync(join(taken.kept, 'keys.json'))).toBe(true)
      expect(readdirSync(folder).toSorted()).toEqual(['home', 'home.lost-1'])
      expect(readdirSync(join(folder, 'home')).filter((name) => name.startsWith('restored-'))).toEqual([])
      expect(finishTaking(folder)).toBeNull()
    }
    expect(finished).toEqual([false, false, false, true, true, true, false])
  })

  it('takes no place that it was not made whole for, though there is no home', async () => {
    const { folder } = await restored()
    rmSync(join(folder, 'home'), { recursive: true })
    expect(finishTaking(folder)).toBeNull()
    expect(existsSync(join(folder, 'home'))).toBe(false)
  })
})
