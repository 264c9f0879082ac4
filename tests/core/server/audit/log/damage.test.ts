// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import { isDeepStrictEqual } from 'node:util'
import { equalBytes } from '#core/bytes/frame.ts'
import { select } from '#core/ports/needs.ts'
import type { LogReport } from '#core/server/audit/log/report.ts'
import { REPAIR_NEEDS } from '#core/server/repair/needs.ts'
import { repairLog } from '#core/server/repair/repair-log.ts'
import { auditNow, damagedLog, namesOf, type Logged } from './logged.ts'

/** What a damage does to bytes; `other` is something else of the same kind. */
const DAMAGES: Readonly<Record<string, (bytes: Uint8Array, other: Uint8Array) => Uint8Array | null>> = {
  removed: () => null,
  'cut by a byte': (bytes) => bytes.slice(0, -1),
  emptied: () => new Uint8Array(0),
  'with a byte more': (bytes) => Uint8Array.from([...bytes, 0]),
  'swapped with another': (_, other) => other,
  'flipped in the first bit': (bytes) => flipped(bytes, 0),
  'flipped at a quarter': (bytes) => flipped(bytes, Math.floor(bytes.length / 4)),
  'flipped in the middle': (bytes) => flipped(bytes, Math.floor(bytes.length / 2)),
  'flipped in the last byte': (bytes) => flipped(bytes, bytes.length - 1),
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const out = new Uint8Array(bytes)
  out[at] = (out[at] ?? 0) ^ 1
  return out
}

/** Rows that nothing else determines: what is lost of them has to be restored. */
function isBeyondRepair(name: string): boolean {
  return /^checkpoints\/(log\/tree|witnessed\/)/.test(name)
}

/** A kept checkpoint that lost one of its cosignatures is no finding: it looks like one of an earlier policy, and is told as such. */
function isOfEarlierPolicy(name: string, { earlier }: LogReport): boolean {
  return name.startsWith('checkpoints/witnessed/') && earlier > 0
}

/**
 * Whether nothing was changed but what nobody signed and everybody works without: which bundle is of no more use, or of
 * whom the line in a note is that is not the log's own (C2SP signed-note: lines of unknown keys are ignored).
 */
function isUnsigned(name: string, before: Uint8Array, after: Uint8Array): boolean {
  const [was, is] = [before, after].map((bytes) => Buffer.from(bytes).toString())
  if (name === 'checkpoints/log/tree') return isDeepStrictEqual(signedParts(was), signedParts(is))
  if (name !== 'checkpoints/log/published') return false
  const others = /^\u2014 (?!home\.test\/log )[^ ]+ .{6}/gmu
  return was?.replaceAll(others, '') === is?.replaceAll(others, '')
}

/** Of a committed tree what is signed, or follows from that; the text itself where it is none. */
function signedParts(text = ''): unknown {
  try {
    const { discard: _, staging, ...rest } = JSON.parse(text) as Record<string, unknown>
    // From which size the bundle leads is in its name alone.
    return { ...rest, to: String(staging).replace(/^\d+-/, '') }
  } catch {
    return text
  }
}

/** SLOW=1 leaves none out. */
const HOWS = Object.keys(DAMAGES).filter(
  (how) =>
    process.env['SLOW'] === '1' || ['removed', 'swapped with another', 'flipped at a quarter'].includes(how),
)

/** Something else of the same kind, with other bytes. */
async function otherThan({ stored }: Logged, name: string, bytes: Uint8Array): Promise<Uint8Array> {
  const kind = name.startsWith('tile/') ? /^tile\/[^/]+/.exec(name)?.[0] : name.split('/')[0]
  for (const other of stored.names()) {
    const found = other.startsWith(`${kind}/`) && other !== name ? await stored.read(other) : null
    if (found && !equalBytes(found, bytes)) return found
  }
  return new Uint8Array(bytes.length)
}

describe('a log of which something was damaged', () => {
  let at: Logged
  beforeAll(async () => {
    at = await damagedLog()
  })

  it.each(HOWS)('is found out, and put right or left alone: %s', async (how) => {
    const names = at.stored.names()
    const missed: string[] = []
    for (const name of names) {
      // Nothing tells that a size was witnessed but its row, and the published checkpoint for the newest.
      if (how === 'removed' && name.startsWith('checkpoints/witnessed/')) continue
      const bytes = await at.stored.read(name)
      const damaged = bytes && DAMAGES[how]?.(bytes, await otherThan(at, name, bytes))
      if (!bytes || damaged === undefined) throw new Error(`nothing is stored as ${name}`)
      await at.stored.write(name, damaged)
      const { report } = await auditNow(at)
      const isFound = report.findings.some(({ where }) =>
        namesOf(name).some((each) => where.startsWith(each)),
      )
      if (!isFound && !isOfEarlierPolicy(name, report))
        missed.push(`${name}: ${JSON.stringify(report.findings)}`)
      // What is put right does not depend on how it was damaged: trying it for each takes three times as long.
      if (how === 'swapped with another' && process.env['SLOW'] !== '1') {
        await at.stored.write(name, bytes)
        continue
      }
      const ports = await select(at.world.platform, REPAIR_NEEDS)
      const repair = await repairLog(ports, at.world.home, at.trust)
      const after = await at.stored.read(name)
      const isRight = repair.report.findings.length === 0 && isEqual(after, bytes)
      const isLeft = repair.report.findings.length > 0 && isEqual(after, damaged)
      if (isBeyondRepair(name) ? !isLeft : !isRight)
        missed.push(`repair of ${name}: ${JSON.stringify(repair)}`)
      await at.stored.write(name, bytes)
    }
    expect(missed).toEqual([])
    expect((await auditNow(at)).report.findings).toEqual([])
  })

  it('names the bundle in which any byte was changed', async () => {
    const bytes = await at.stored.read('tile/entries/000')
    if (!bytes) throw new Error('there is no full bundle')
    for (let offset = 0; offset < bytes.length; offset += 1499) {
      await at.stored.write('tile/entries/000', flipped(bytes, offset))
      const { report } = await auditNow(at)
      expect(report.findings).toMatchObject([
        { rule: 'bundle', status: 'tampered', where: 'tile/entries/000' },
      ])
    }
    await at.stored.write('tile/entries/000', bytes)
  })

  it('finds any byte that was changed of what somebody signed, of each row and of each object', async () => {
    const missed: string[] = []
    for (const name of at.stored.names()) {
      const bytes = await at.stored.read(name)
      if (!bytes) throw new Error(`nothing is stored as ${name}`)
      // SLOW=1 changes each byte of rows of leaves; of what is long a byte here and there, at another place in each.
      const [short, long] = process.env['SLOW'] === '1' ? [1, 13] : [4, 1999]
      const step = bytes.length < 64 ? short : long
      for (let offset = name.length % step; offset < bytes.length; offset += step) {
        const damaged = flipped(bytes, offset)
        await at.stored.write(name, damaged)
        const { report } = await auditNow(at)
        const isExcused = isOfEarlierPolicy(name, report) || isUnsigned(name, bytes, damaged)
        if (report.findings.length === 0 && !isExcused) missed.push(`${name}: ${offset}`)
      }
      await at.stored.write(name, bytes)
    }
    expect(missed).toEqual([])
  }, 1_200_000)

  it('misses the newest witnessed checkpoint, and takes it from the published one', async () => {
    const name = 'checkpoints/witnessed/0000000000000258'
    const bytes = await at.stored.read(name)
    await at.stored.write(name, null)
    const { report } = await auditNow(at)
    expect(report.findings).toMatchObject([{ rule: 'witnessed-row', status: 'missing', where: name }])
    const ports = await select(at.world.platform, REPAIR_NEEDS)
    expect((await repairLog(ports, at.world.home, at.trust)).report.findings).toEqual([])
    expect(await at.stored.read(name)).toEqual(bytes)
  })
})

function isEqual(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a === null || b === null ? a === b : equalBytes(a, b)
}
