// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { MAX_LOG_WAIT_MS } from '#core/api/limits.ts'
import type { ChainId } from '#core/bytes/ids.ts'
import type { Appended } from '#core/server/append/append.ts'
import type { Receipt } from '#core/server/read/receipt.ts'
import { FIRST_PAUSE_MS, MAX_PAUSE_MS, receiptAwaiter } from '#functions/writer/await-receipt.ts'
import { MAX_WAITING, MAX_WAITING_PER_CHAIN } from '#functions/writer/waiting-room.ts'

const RECEIPT: Receipt = { level: 'logged', proof: 'proof' }
const block = (chain: string, isNew = true): Pick<Appended, 'stored' | 'isNew'> => ({
  stored: { chain: chain as ChainId, block: { height: 3 } } as Appended['stored'],
  isNew,
})
const here = () => new AbortController().signal

/** A log that the test fills, and waits that go on when the test says so. */
function scene() {
  const clock = { now: 0 }
  const steps: string[] = []
  const held: (() => void)[] = []
  const log: { receipt: Receipt | null; holds: boolean } = { receipt: null, holds: false }
  const awaitReceipt = receiptAwaiter({
    now: () => clock.now,
    find: async () => {
      steps.push('look')
      return log.receipt
    },
    grow: {
      now: async (level) => void steps.push(`grow ${level}`),
      again: async (level) => void steps.push(`grow ${level} again`),
    },
    pause: async (ms) => {
      steps.push(`pause ${ms}`)
      clock.now += ms
      if (log.holds) await new Promise<void>((resolve) => held.push(resolve))
    },
  })
  /** Lets everything run that waits for nothing but its turn. */
  const settle = () => new Promise((resolve) => setImmediate(resolve))
  return { clock, steps, held, log, awaitReceipt, settle }
}

describe('waiting for the receipt of a block', () => {
  it('that was stored just now looks right after the log grew', async () => {
    const { log, steps, awaitReceipt } = scene()
    log.receipt = RECEIPT
    expect(await awaitReceipt(block('a'), 'logged', here())).toBe(RECEIPT)
    expect(steps).toEqual(['grow logged', 'look'])
  })

  it('that was there before looks first, and begins nothing when there is one', async () => {
    const { log, steps, awaitReceipt } = scene()
    log.receipt = RECEIPT
    expect(await awaitReceipt(block('a', false), 'witnessed', here())).toBe(RECEIPT)
    expect(steps).toEqual(['look'])
  })

  it('looks less and less often, and gives up after its time', async () => {
    const { clock, steps, awaitReceipt } = scene()
    expect(await awaitReceipt(block('a', false), 'witnessed', here())).toBeNull()
    const pauses = steps.flatMap((step) => (step.startsWith('pause ') ? [Number(step.slice(6))] : []))
    expect(pauses.slice(0, 7)).toEqual([FIRST_PAUSE_MS, 20, 40, 80, 160, MAX_PAUSE_MS, MAX_PAUSE_MS])
    expect(clock.now).toBeGreaterThanOrEqual(MAX_LOG_WAIT_MS)
    expect(clock.now).toBeLessThan(MAX_LOG_WAIT_MS + MAX_PAUSE_MS)
    expect(steps.filter((step) => step === 'grow witnessed')).toEqual([])
  })

  it('ends at once where too many wait about one chain, or in all, and goes on when they went', async () => {
    const { log, held, awaitReceipt, settle } = scene()
    log.holds = true
    const waiting: Promise<Receipt | null>[] = []
    const begin = async (chain: string): Promise<'waits' | Receipt | null> => {
      const wait = awaitReceipt(block(chain), 'logged', here())
      const answer = await Promise.race([wait, settle().then(() => 'waits' as const)])
      if (answer === 'waits') waiting.push(wait)
      return answer
    }
    for (let i = 0; i < MAX_WAITING_PER_CHAIN; i++) expect(await begin('a')).toBe('waits')
    expect([await begin('a'), await begin('b')]).toEqual([null, 'waits'])
    for (let i = waiting.length; i < MAX_WAITING; i++) expect(await begin(`chain ${i}`)).toBe('waits')
    expect(await begin('c')).toBeNull()
    log.receipt = RECEIPT
    for (const go of held) go()
    expect(new Set(await Promise.all(waiting))).toEqual(new Set([RECEIPT]))
    log.receipt = null
    expect([await begin('a'), await begin('c')]).toEqual(['waits', 'waits'])
  })

  it('ends when nobody waits any more, and makes room', async () => {
    const { log, steps, held, awaitReceipt, settle } = scene()
    log.holds = true
    const gone = new AbortController()
    const waits = Array.from({ length: MAX_WAITING_PER_CHAIN }, () =>
      awaitReceipt(block('a'), 'logged', gone.signal),
    )
    await settle()
    gone.abort()
    expect(new Set(await Promise.all(waits))).toEqual(new Set([null]))
    steps.length = 0
    for (const go of held) go()
    await settle()
    expect(steps).toEqual([])
    log.receipt = RECEIPT
    expect(await awaitReceipt(block('a'), 'logged', here())).toBe(RECEIPT)
    expect(await awaitReceipt(block('b'), 'logged', gone.signal)).toBeNull()
  })

  it('makes room when a look fails', async () => {
    const { log, awaitReceipt } = scene()
    const failing = receiptAwaiter({
      now: () => 0,
      find: async () => {
        if (log.receipt) return log.receipt
        throw new Error('the store does not answer')
      },
      grow: { now: async () => {}, again: async () => {} },
      pause: async () => {},
    })
    for (let i = 0; i <= MAX_WAITING_PER_CHAIN; i++)
      await expect(failing(block('a'), 'logged', here())).rejects.toThrow('the store does not answer')
    log.receipt = RECEIPT
    expect(await failing(block('a'), 'logged', here())).toBe(RECEIPT)
    expect(await awaitReceipt(block('a'), 'logged', here())).toBe(RECEIPT)
  })
})
