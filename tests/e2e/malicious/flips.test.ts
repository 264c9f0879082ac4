// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { openMemory } from '#adapters/memory/open.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import type { ChainId } from '#core/bytes/ids.ts'
import { createReceiptJudge } from '#core/client/receipt/judge.ts'
import { decodeLeaf } from '#core/block/leaf.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import { isAmpereError } from '#core/errors.ts'
import { select } from '#core/ports/needs.ts'
import { addLog } from '#core/server/witness/logs.ts'
import { addCheckpoint } from '#core/server/witness/add-checkpoint.ts'
import { WITNESS_NEEDS } from '#core/server/witness/needs.ts'
import { SLICE_LEAVES } from '#core/server/monitor/slice.ts'
import { testLog } from '#tests/core/server/witness/test-log.ts'
import { testMonitor, type TestMonitor } from '#tests/core/server/monitor/monitor.ts'
import { entriesTo, entryAt, servedLog, type ServedLog } from '#tests/core/server/monitor/served-log.ts'
import { seededRandom, START_MS } from '#tests/deployment.ts'
import { flipped } from './answers/flip.ts'
import { receiptAt } from './home.ts'

/** What is said after each flip of a file, by place. */
async function flipEach(
  bytes: Uint8Array,
  outcome: (changed: Uint8Array<ArrayBuffer>) => Promise<string>,
): Promise<readonly string[]> {
  const all: string[] = []
  for (let at = 0; at < bytes.length; at++) all.push(await outcome(flipped(bytes, at)))
  return all
}

/** What a monitor without any history says of the log as it is served. */
async function seen(log: ServedLog): Promise<string> {
  return outcomeOf(await testMonitor(log))
}

async function outcomeOf(monitor: TestMonitor): Promise<string> {
  try {
    const { finding, outcome } = await monitor.run()
    if (finding !== null) return finding
    const { size } = await monitor.says(0)
    return `${outcome} ${size}`
  } catch (error) {
    if (!isAmpereError(error)) throw error
    return error.code
  }
}

/** Places of a note's bytes that name a witness's key: with another name a signature is nobody's, and says nothing. */
function namesWitness(text: string, at: number): boolean {
  const line = text.lastIndexOf('\n\u2014 witness.example/w ') + 1
  const bytes = Buffer.from(text)
  const start = Buffer.byteLength(text.slice(0, line))
  const name = Buffer.byteLength('\u2014 witness.example/w ')
  // A key id has four bytes, which are in the first six characters of base64.
  return bytes.length > at && at >= start && at < start + name + 6
}

describe('one bit of what a log serves', () => {
  it('is found by a monitor wherever it is in a checkpoint, or takes no more than the cosignature that it is in', async () => {
    const log = await servedLog()
    const note = await log.grow(9)
    expect(await seen(log)).toBe('current 9')
    const monitor = await testMonitor(log)
    const all = await flipEach(utf8(note), async (changed) => {
      log.files.set('checkpoint', changed)
      return outcomeOf(monitor)
    })
    const unnoticed = all.flatMap((said, at) => (said === 'UPSTREAM_FAILED' ? [] : [at]))
    expect(unnoticed.filter((at) => !namesWitness(note, at))).toEqual([])
    expect(unnoticed.length).toBeGreaterThan(0)
  })

  it('is found by a monitor wherever it is in an entry bundle', async () => {
    const log = await servedLog()
    await log.grow(3)
    const path = 'tile/entries/000.p/3'
    // What is refused leaves nothing behind in it.
    const monitor = await testMonitor(log)
    const all = await flipEach(log.files.get(path) ?? new Uint8Array(0), async (changed) => {
      log.files.set(path, changed)
      return outcomeOf(monitor)
    })
    expect(all).toHaveLength(3 * 67)
    expect(new Set(all)).toEqual(new Set(['root', 'UPSTREAM_FAILED']))
  })

  it('is found by a monitor in each hash that shows where a slice belongs, and changes nothing in others', async () => {
    const log = await servedLog()
    await log.grow(SLICE_LEAVES + 300)
    const monitor = await testMonitor(log)
    await monitor.run()
    const tiles = [...new Set(log.asked)].filter((path) => /^tile\/\d/.test(path))
    expect(tiles.length).toBeGreaterThan(0)
    const heard: string[] = []
    for (const path of tiles) {
      const bytes = log.files.get(path) ?? new Uint8Array(0)
      for (let at = 0; at < bytes.length; at += bytes.length > 512 ? 512 : 32) {
        log.files.set(path, flipped(bytes, at + ((at / 32) % 32)))
        heard.push(await seen(log))
      }
      log.files.set(path, bytes)
    }
    // The tree is made of the entries: a hash that no proof takes is not believed either.
    expect(new Set(heard)).toEqual(new Set(['root', `current ${SLICE_LEAVES + 300}`]))
  })

  it('is found by a client wherever it is in a receipt, or takes no more than the cosignature that it is in', async () => {
    const log = await servedLog()
    const note = await log.grow(9)
    const receipt = receiptAt(entriesTo(9), 5, note)
    const judge = createReceiptJudge(log.policy, createVerifiers())
    const { hash } = decodeLeaf(entryAt(5))
    const home = 'https://log.example'
    const subject = { chain: 'c' as ChainId, height: 1, home, hash, labelKey: null }
    const proven = await judge.judge(receipt, subject)
    expect(proven).toMatchObject({ level: 'witnessed', index: 5, size: 9 })
    const all = await flipEach(utf8(receipt), async (changed) => {
      try {
        const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(changed)
        const { level, index, size } = await judge.judge(text, subject)
        return `${level} ${index} ${size}`
      } catch (error) {
        if (!isAmpereError(error, 'VERIFICATION_FAILED')) throw error
        return 'found'
      }
    })
    const unnoticed = all.flatMap((said, at) => (said === 'found' ? [] : [at]))
    expect(unnoticed.filter((at) => !namesWitness(receipt, at))).toEqual([])
    expect(new Set(all)).toEqual(new Set(['found', 'logged 5 9']))
  })

  it('is refused by a witness wherever it is in what it is to cosign', async () => {
    const random = seededRandom(3)
    const ports = await select(openMemory({ now: () => START_MS, random }), WITNESS_NEEDS)
    const log = await testLog()
    await addLog(ports, log.origin, log.keys)
    const witness = { name: 'witness.example/witness', verifiers: createVerifiers() }
    expect((await addCheckpoint(ports, witness, utf8(await log.request(0, 7)))).status).toBe(200)
    const request = await log.request(7, 9)
    const all = await flipEach(utf8(request), async (changed) =>
      String((await addCheckpoint(ports, witness, changed)).status),
    )
    expect(all.filter((status) => !['400', '403', '404', '409', '422'].includes(status))).toEqual([])
    expect((await addCheckpoint(ports, witness, utf8(request))).status).toBe(200)
  })
})
