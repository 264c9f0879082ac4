// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from '@jest/globals'
import { toBase64url } from '#core/bytes/encoding.ts'
import type { Digest } from '#core/bytes/ids.ts'
import { openLookup, type LookupAnswer } from '#core/api/lookup.ts'
import { rotateChain } from '#core/client/acts/change-chain.ts'
import { checkComplete } from '#core/client/complete/completeness.ts'
import { readReceipts } from '#core/client/receipt/read-receipts.ts'
import { formatNote, parseNote } from '#core/log/note/note.ts'
import { parsePolicy, formatPolicy } from '#core/log/policy/policy.ts'
import type { Fetch } from '#core/ports/keys.ts'
import { makeSigner, ORIGIN } from '#tests/deployment.ts'
import { cosignedBy } from './cosigned-by.ts'
import { monitoredWorld, type MonitoredWorld } from './monitored-world.ts'
import { resigned, twist, withholding } from './twists.ts'

let made: MonitoredWorld
const seconds = (ms: number) => Math.floor(ms / 1000) * 1000
const word = (says: string) => expect.objectContaining({ says })

beforeEach(async () => {
  made = await monitoredWorld()
  await made.append('one')
})

describe('a record whose next block the monitors do not have', () => {
  it('is complete as of the earliest of the latest cosignatures among those that are needed', async () => {
    await made.settle()
    const first = seconds(made.clock.now)
    expect(await made.ask({ need: 3 })).toMatchObject({ height: 2, asOfMs: first, why: null })
    made.clock.now += 7_200_000
    await made.world.tendLog()
    await made.monitors[0]?.watch()
    await made.monitors[2]?.watch()
    const second = seconds(made.clock.now)
    expect(await made.ask({ need: 2 })).toMatchObject({ asOfMs: second })
    expect(await made.ask({ need: 3 })).toMatchObject({ asOfMs: first })
  })

  it('is complete as of the time since which a quorum cosigned, not of the latest word of one witness', async () => {
    const two = parsePolicy(formatPolicy(made.policy).replace('group quorum 1 ', 'group quorum 2 '))
    await made.settle()
    const first = seconds(made.clock.now)
    made.clock.now += 30 * 86_400_000
    const now = Math.floor(made.clock.now / 1000)
    const asked = async (names: readonly string[], time: number, policy = two) => {
      for (const { origin } of made.monitors)
        twist(made, origin, async (answer) => ({
          ...answer,
          checkpoint: await cosignedBy(answer.checkpoint, names, time),
        }))
      const { asOfMs, why } = await made.ask({ policy })
      return [asOfMs, why]
    }
    const all = ['w1-0', 'w1-1', 'w2-0', 'w2-1']
    expect(await asked(['w1-0', 'w1-1'], now)).toEqual([first, null])
    expect(await asked(all, now)).toEqual([now * 1000, null])
    // One of its two keys is not a witness.
    expect(await asked(['w1-0'], now, made.policy)).toEqual([first, null])
    expect(await asked(['w1-0', 'w1-1'], now, made.policy)).toEqual([now * 1000, null])
  })

  it('is complete as of no time by cosignatures of clocks that are too far ahead, and of now by those that may be', async () => {
    await made.settle()
    const now = Math.floor(made.clock.now / 1000)
    const asked = async (ahead: number) => {
      for (const { origin } of made.monitors)
        twist(made, origin, async (answer) => ({
          ...answer,
          checkpoint: await cosignedBy(answer.checkpoint, ['w1-0', 'w1-1', 'w2-0', 'w2-1'], now + ahead),
        }))
      const { asOfMs, why } = await made.ask()
      return [asOfMs, why]
    }
    expect(await asked(121)).toEqual([null, 'too-few'])
    expect(await asked(120)).toEqual([made.clock.now, null])
  })

  it('is asked about with the label key of the newest epoch', async () => {
    await rotateChain(made.author, made.record)
    await made.settle()
    expect(await made.ask()).toMatchObject({ height: 3, why: null })
    await made.append('two')
    await made.settle()
    expect(await made.ask()).toMatchObject({ height: 4, why: null })
  })

  it('is not said to be complete by fewer than are needed, or by trees that do not hold its newest block', async () => {
    await made.settle()
    await made.append('two')
    await made.world.tendLog()
    expect(await made.ask()).toMatchObject({
      asOfMs: null,
      why: 'too-few',
      words: [word('unusable'), word('unusable'), word('unusable')],
    })
    await made.monitors[1]?.watch()
    expect(await made.ask()).toMatchObject({ why: 'too-few' })
    expect(await made.ask({ need: 1 })).toMatchObject({ why: null, height: 3 })
    expect(await made.ask({ need: 4 })).toMatchObject({ why: 'too-few' })
  })

  it('is not said to be complete by the home itself, or by one monitor that is named twice', async () => {
    await made.settle()
    expect(await made.ask({ origins: [ORIGIN], need: 1 })).toMatchObject({ why: 'no-monitor', words: [] })
    const [one = ''] = made.monitors.map(({ origin }) => origin)
    expect(await made.ask({ origins: [one, one] })).toMatchObject({ why: 'too-few' })
  })

  it('needs a policy with a quorum, a newest block that it saw, and the label key', async () => {
    expect(await made.ask()).toMatchObject({ why: 'head-not-witnessed' })
    await made.settle()
    const none = parsePolicy(formatPolicy(made.policy).replace(/^quorum .*$/m, 'quorum none'))
    expect(await made.ask({ policy: none })).toMatchObject({ why: 'no-quorum' })
    const reader = made.reader()
    const replica = await reader.replica(made.record)
    const log = await readReceipts(reader, replica)
    const keyring = { ...(await reader.keyring(replica)), labelKey: null }
    expect(await checkComplete({ ...reader, keyring: async () => keyring }, replica, log)).toMatchObject({
      why: 'no-label-key',
    })
    expect(await checkComplete(made.author, replica, log)).toMatchObject({ why: 'no-monitor' })
  })
})

describe('a record whose end the home holds back', () => {
  it('is found to be withheld by every monitor that has its next block', async () => {
    const fetch = withholding(made)
    await made.settle()
    expect(await made.ask({ fetch })).toMatchObject({ why: null, height: 2 })
    await made.append('two')
    await made.settle()
    expect(await made.ask({ fetch })).toMatchObject({
      height: 2,
      asOfMs: null,
      why: 'withheld',
      words: [word('present'), word('present'), word('present')],
    })
    expect(await made.ask()).toMatchObject({ height: 3, why: null })
  })

  it('is found by one monitor, whatever the others say', async () => {
    const fetch = withholding(made)
    await made.settle()
    expect(await made.ask({ fetch })).toMatchObject({ why: null })
    await made.append('two')
    await made.world.tendLog()
    await made.monitors[2]?.watch()
    expect(await made.ask({ fetch, need: 1 })).toMatchObject({ why: 'withheld' })
  })

  it('is not accused for a block that came after its head was read', async () => {
    await made.settle()
    const reader = made.reader()
    const replica = await reader.replica(made.record)
    const log = await readReceipts(reader, replica)
    await made.append('two')
    await made.append('three')
    await made.settle()
    expect(replica.head.height).toBe(2)
    expect(await checkComplete(reader, replica, log)).toMatchObject({ height: 4, why: null })
  })
})

describe('a lookup that a monitor does not sign so', () => {
  const [origin, other] = ['http://m1.test', 'http://m2.test']
  const alone = { origins: [origin], need: 1 }
  const refused = async (change: (answer: LookupAnswer) => Promise<object> | object) => {
    twist(made, origin, change)
    const { why, words } = await made.ask(alone)
    return [why, words[0]?.says, words[0]?.detail]
  }
  const headOf = async (i: number) => {
    const monitor = made.monitors[i]
    if (!monitor) throw new Error('no such monitor')
    return monitor.platform.signer('head')
  }

  it('does not count: by a stranger, by another monitor, by the home, changed, or of another kind', async () => {
    await made.settle()
    expect(await made.ask(alone)).toMatchObject({ why: null })
    const stranger = await makeSigner(made.world.random)
    const by = (why: string) => `rule lookup: it is signed by a key that ${why}`
    const [unknown, others] = [
      'is not in the registry of this record: the monitor has to be a deployment in it',
      'is not of the deployment at that address',
    ]
    for (const [signer, why] of [
      [stranger, unknown],
      [await headOf(1), others],
      [await made.world.platform.signer('head'), others],
    ] as const)
      expect(await refused((answer) => resigned(answer, signer, {}))).toEqual(['too-few', 'failed', by(why)])
    const flip = (answer: LookupAnswer) => {
      const [header, , signature] = answer.lookup.split('.')
      const payload = Buffer.from(answer.lookup.split('.')[1] ?? '', 'base64url').toString()
      const changed = payload.replace('"index":null', '"index":0')
      return { ...answer, lookup: [header, Buffer.from(changed).toString('base64url'), signature].join('.') }
    }
    expect(await refused(flip)).toEqual(['too-few', 'failed', 'the signature does not verify'])
    const own = await headOf(0)
    const { head } = await made.author.api.head(made.record)
    for (const odd of [{ lookup: head }, { lookup: 'nonsense' }, { checkpoint: 'nonsense' }, { lookup: 3 }])
      expect((await refused((answer) => ({ ...answer, ...odd })))[1]).toBe('failed')
    const zero = toBase64url(new Uint8Array(32)) as Digest
    for (const [change, detail] of [
      [{ origin: 'other.example/log' }, 'it is about another log or label'],
      [{ label: zero }, 'it is about another log or label'],
      [{ index: 1_000_000 }, 'its index is not in its tree'],
      [{ index: 0 }, 'it has a proof only where it has an index'],
      [{ size: 1 }, 'the checkpoint beside it is of another tree'],
      [{ root: zero }, 'the checkpoint beside it is of another tree'],
    ] as const)
      expect(await refused((answer) => resigned(answer, own, change))).toEqual([
        'too-few',
        'failed',
        `rule lookup: ${detail}`,
      ])
    // The same with nothing changed is what it was.
    expect(await refused((answer) => resigned(answer, own, {}))).toEqual([null, 'absent', ''])
  })

  it('does not count under a checkpoint that the quorum did not cosign, or that the log did not sign', async () => {
    await made.settle()
    const own = await headOf(0)
    const without = (name: RegExp) => (answer: LookupAnswer) => {
      const { text, signatures } = parseNote(answer.checkpoint)
      const kept = signatures.filter((signature) => !name.test(signature.name))
      return resigned({ ...answer, checkpoint: formatNote({ text, signatures: kept }) }, own, {})
    }
    expect(await refused(without(/witness$/))).toEqual(['too-few', 'unusable', ''])
    const stopped = async (answer: LookupAnswer) => ({
      ...(await without(/witness$/)(answer)),
      stopped: 'fork',
    })
    expect(await refused(stopped)).toEqual(['too-few', 'unusable', 'it stopped at a finding: fork'])
    expect((await refused(without(/log$/)))[1]).toBe('failed')
  })

  it('does not count by a key that was revoked since', async () => {
    await made.settle()
    const { kid } = await headOf(0)
    await made.world.change('hospital-a', [
      { act: 'revoke', kid, reason: 'compromised', suspectFrom: null },
    ] as never)
    await made.settle()
    expect(await made.ask(alone)).toMatchObject({
      why: 'too-few',
      words: [{ says: 'failed', detail: 'rule lookup: it is signed by a key that was revoked' }],
    })
    expect(await made.ask({ origins: [other], need: 1 })).toMatchObject({ why: null })
  })

  it('is said to have failed when a monitor hangs up, refuses, answers too much, or does not know the log', async () => {
    await made.settle()
    const answers: (readonly [Fetch, RegExp])[] = [
      [() => Promise.reject(new TypeError('refused')), /^the monitor cannot be reached$/],
      [async () => new Response('no', { status: 500 }), /^the monitor answered 500$/],
      [
        async () => Response.json({ lookup: 'x'.repeat(1_000_000), checkpoint: '' }),
        /^the monitor answered with/,
      ],
      [async () => new Response('{"lookup":'), /^the monitor/],
    ]
    for (const [answer, detail] of answers) {
      made.instead.set(origin, answer)
      expect(await made.ask({ origins: [origin, other], need: 1 })).toMatchObject({
        why: null,
        words: [{ says: 'failed', detail: expect.stringMatching(detail) }, word('absent')],
      })
    }
    made.instead.delete(origin)
    expect(await made.ask({ origins: [...alone.origins, 'http://nobody.test'], need: 2 })).toMatchObject({
      why: 'too-few',
    })
  })

  it('is opened by the key that signed it, and by no other', async () => {
    await made.settle()
    const answers: LookupAnswer[] = []
    twist(made, origin, (answer) => {
      answers.push(answer)
      return answer
    })
    await made.ask(alone)
    const { lookup = '' } = answers[0] ?? {}
    const { verifiers } = made.author.sync
    const { publicKey } = await headOf(0)
    expect(await openLookup(lookup, publicKey, verifiers)).toMatchObject({ index: null })
    await expect(openLookup(lookup, (await headOf(1)).publicKey, verifiers)).rejects.toMatchObject({
      code: 'SIGNATURE_INVALID',
    })
  })
})
