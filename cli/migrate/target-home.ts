// SPDX-License-Identifier: Apache-2.0
import {
  closeSync,
  cpSync,
  existsSync,
  fstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { join } from 'node:path'
import { AmpereError } from '#core/errors.ts'
import { select, type Platform } from '#core/ports/needs.ts'
import type { Home } from '#core/server/home.ts'
import { SEQUENCER_NEEDS } from '#core/server/sequence/needs.ts'
import { createSequencer } from '#core/server/sequence/sequencer.ts'
import { loggedHeight } from '#core/server/store/log.ts'
import type { OpenHome } from '../open/home.ts'
import { refuse } from '../program/refuse.ts'
import { storedChains } from './chains.ts'

/** What a data folder has beside its home, and the new one is to have too. */
const BESIDE = ['institutions', 'passphrase', 'keychain-id', 'monitors.json', 'patient-keys.json', 'evidence']

const STAGING = '.copy-'
/** Bytes of two files that are compared at a time: a table may be larger than a file that Node reads as a whole. */
const PIECE = 1024 * 1024

/**
 * Changes with what only looks: heads that were seen, by which nothing is lost, what SQLite needs while a database is open,
 * and locks.
 */
const PASSING = /(?:^|\/)(?:seen\.json(?:\..*)?|.*-shm|lock)$/

/**
 * Copies what is not the home's: institutions with their keys and tables, and where the passphrase is. What an earlier run
 * copied is replaced where it differs: the folder that is left is used until the new one has its settings.
 */
export function copyBeside(from: string, to: string): void {
  // What a run that was killed left of a copy.
  for (const name of readdirSync(to))
    if (name.startsWith(STAGING)) rmSync(join(to, name), { recursive: true })
  for (const name of BESIDE) {
    if (differencesIn(from, to, name, /^$/).length === 0) continue
    const staging = mkdtempSync(join(to, STAGING))
    try {
      if (existsSync(join(from, name)))
        cpSync(join(from, name), join(staging, name), { recursive: true, preserveTimestamps: true })
      if (existsSync(join(to, name))) renameSync(join(to, name), join(staging, 'before'))
      if (existsSync(join(staging, name))) renameSync(join(staging, name), join(to, name))
    } finally {
      rmSync(staging, { recursive: true, force: true })
    }
  }
}

/**
 * Once the new folder has its settings it may have been used, and nothing in it is replaced any more.
 * @throws AmpereError ALREADY_EXISTS naming what differs
 */
export function checkBeside(from: string, to: string): void {
  const differences = BESIDE.flatMap((name) => differencesIn(from, to, name, PASSING))
  const [first] = differences
  if (first === undefined) return
  throw refuse(
    'ALREADY_EXISTS',
    `the move into ${to} is done, and since then ${first} differs there${differences.length > 1 ? `, and ${differences.length - 1} more files` : ''}; nothing is copied over it`,
    `npx ampere start --data ${to}`,
  )
}

/** Files that are in one of two folders only, or not the same in both. */
function differencesIn(from: string, to: string, name: string, passing: RegExp): readonly string[] {
  const all = [...new Set([...filesIn(from, name), ...filesIn(to, name)])].filter(
    (file) => !passing.test(file),
  )
  return all.filter((file) => {
    const [here, there] = [join(from, file), join(to, file)]
    return !existsSync(here) || !existsSync(there) || !areSame(here, there)
  })
}

function areSame(here: string, there: string): boolean {
  const [a, b] = [openSync(here, 'r'), openSync(there, 'r')]
  try {
    if (fstatSync(a).size !== fstatSync(b).size) return false
    const [x, y] = [Buffer.alloc(PIECE), Buffer.alloc(PIECE)]
    for (;;) {
      const [m, n] = [readSync(a, x), readSync(b, y)]
      if (m !== n || !x.subarray(0, m).equals(y.subarray(0, n))) return false
      if (m === 0) return true
    }
  } finally {
    closeSync(a)
    closeSync(b)
  }
}

function filesIn(folder: string, name: string): readonly string[] {
  const path = join(folder, name)
  if (!existsSync(path)) return []
  if (statSync(path).isFile()) return [name]
  return readdirSync(path).flatMap((each) => filesIn(folder, `${name}/${each}`))
}

/** Logs until nothing is left to log: before that a home must state no head. @throws AmpereError STORE_CORRUPT when it stands still */
export async function logAll({ platform, tendLog }: Pick<OpenHome, 'platform' | 'tendLog'>): Promise<void> {
  for (let before = Number.POSITIVE_INFINITY; ;) {
    await tendLog()
    const left = await unlogged(platform)
    if (left === 0) return
    if (left >= before) throw new AmpereError('STORE_CORRUPT', `${left} blocks cannot be logged`)
    before = left
  }
}

/** The log of a home that nobody serves, which has all of it before anybody can ask that home for a head. */
export async function keepLog(
  platform: Platform,
  home: Home,
): Promise<Pick<OpenHome, 'platform' | 'tendLog'>> {
  const sequencer = createSequencer(await select(platform, SEQUENCER_NEEDS), home)
  const tendLog = async () => {
    while ((await sequencer.run()).more);
  }
  return { platform, tendLog }
}

async function unlogged(platform: Platform): Promise<number> {
  const leaves = platform.table('leaves')
  let left = 0
  for await (const { chain, head } of storedChains(platform))
    left += Math.max(0, head.block.height - (await loggedHeight(leaves, chain)))
  return left
}
