// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { toBase64url, utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId, type ChainId } from '#core/bytes/ids.ts'
import { timestampMs, toTimestamp } from '#core/bytes/timestamp.ts'
import { actionOf, signApproval } from '#core/block/approval.ts'
import type { Block, ControlBlock } from '#core/block/block.ts'
import { parseJws } from '#core/block/jws.ts'
import { openBlock, parseBlock, signBlock, type OpenedBlock } from '#core/block/open-block.ts'
import { isViolation } from '#core/block/violation.ts'
import { applyBlock } from '#core/chain/apply-block.ts'
import { stateHash } from '#core/chain/state.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { following } from '#core/client/append-entries.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import { loadBlock } from '#core/server/store/rows.ts'
import { makeSigner, ORIGIN, testDeployment, type TestDeployment } from '#tests/deployment.ts'

const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }
const entry = (text: string) => ({ header: utf8('{}'), content: utf8(text), compartment: 'general' })

async function recordWithEntry(world: TestDeployment) {
  const a = world.connect('hospital-a')
  const { record } = await createRecord(a, HOME, ['general'])
  await a.append(record, [entry('one')])
  return { a, record }
}

async function storedBlock(world: TestDeployment, chain: ChainId, height: number) {
  const found = await loadBlock(world.platform.table('blocks'), chain, height)
  if (!found) throw new Error(`no block ${height}`)
  return found
}

describe('a stored block', () => {
  it('has one spelling: every malleation of its text is refused before any signature is checked', async () => {
    const world = await testDeployment()
    const { record } = await recordWithEntry(world)
    const { compact } = await storedBlock(world, record, 2)
    const [header = '', payload = '', signature = ''] = compact.split('.')
    const decoded = Buffer.from(payload, 'base64url').toString()
    const respelled = [
      `${compact}\n`,
      ` ${compact}`,
      `${compact}=`,
      `${compact}.`,
      `${header}.${payload}`,
      `${header}.${payload}.${signature.slice(0, -1)}${nextSymbol(signature.at(-1) ?? '')}`,
      `${Buffer.from(` ${Buffer.from(header, 'base64url').toString()}`).toString('base64url')}.${payload}.${signature}`,
      `${header}.${Buffer.from(decoded.replace('{', '{ ')).toString('base64url')}.${signature}`,
      `${header}.${Buffer.from(decoded.replace('"v":1', '"v":1.0')).toString('base64url')}.${signature}`,
      `${header}.${Buffer.from(decoded.replace('"v":1', '"v":1,"v":1')).toString('base64url')}.${signature}`,
      `${header}.${Buffer.from(decoded.replace('"v":1', '"v":1,"w":2')).toString('base64url')}.${signature}`,
    ]
    for (const text of respelled) {
      expect(() => parseBlock(text)).toThrow(
        expect.objectContaining({ code: expect.stringMatching(/^(JWS|BLOCK)_MALFORMED$/) }),
      )
    }
  })

  it('is refused as another kind of statement, and with another key for its kid', async () => {
    const world = await testDeployment()
    const { record } = await recordWithEntry(world)
    const stored = await storedBlock(world, record, 2)
    expect(() => parseJws(stored.compact, 'ampere-head+jws')).toThrow(
      expect.objectContaining({ code: 'JWS_MALFORMED' }),
    )
    const other = await makeSigner(world.random, 'ES256')
    await expect(openBlock(stored, () => other.publicKey, createVerifiers())).rejects.toMatchObject({
      code: 'SIGNATURE_INVALID',
    })
    const forged = parseBlock(
      stored.compact.slice(0, stored.compact.lastIndexOf('.') + 1) + toBase64url(new Uint8Array(64).fill(1)),
    )
    const registry = await world.home.registry.refresh()
    await expect(openBlock(forged, registry.keyOf, createVerifiers())).rejects.toMatchObject({
      code: 'SIGNATURE_INVALID',
    })
  })

  it('names the rule that is broken for every field of it that is changed and signed again', async () => {
    const world = await testDeployment()
    const { a, record } = await recordWithEntry(world)
    const replica = await a.replica(record)
    const stored = await storedBlock(world, record, 2)
    const before = await storedBlock(world, record, 1)
    const registry = await world.home.registry.refresh()
    const view = registry.newest()
    const parent = { opened: before as OpenedBlock, state: replica.link.state }
    const original = stored.block
    if (original.type !== 'record') throw new Error('a record block is expected')
    const digest = toBase64url(new Uint8Array(32))
    const changes: [string, Partial<Block>][] = [
      ['chain', { chain: digest as never }],
      ['height', { height: 7 }],
      ['prev', { prev: digest as never }],
      ['time', { time: toTimestamp(timestampMs(original.time) - 86_400_000) }],
      ['registry-head', { registry: { height: 0, id: digest as never } }],
      ['state-hash', { state: digest as never }],
      ['epoch', { entries: { ...original.entries, epoch: 9 } }],
      [
        'compartment',
        { entries: { ...original.entries, compartments: [toBase64url(new Uint8Array(16)) as never] } },
      ],
    ]
    for (const [rule, change] of changes) {
      const signed = await signBlock(
        { ...original, ...change } as Block,
        world.institution('hospital-a').instance,
      )
      const opened = await openBlock(signed, registry.keyOf, createVerifiers())
      expect(applyBlock(parent, opened, view)).toMatchObject({ kind: 'violation', rule })
    }
    const stranger = await signBlock(original, world.institution('hospital-b').instance)
    expect(
      applyBlock(parent, await openBlock(stranger, registry.keyOf, createVerifiers()), view),
    ).toMatchObject({ rule: 'grant' })
    expect(isViolation(applyBlock(parent, stored as OpenedBlock, view))).toBe(false)
  })
})

describe('a revoked key', () => {
  it('is refused with the newest registry head, with an old one, and back-dated', async () => {
    const world = await testDeployment()
    const { a, record } = await recordWithEntry(world)
    const replica = await a.replica(record)
    const { instance } = world.institution('hospital-a')
    await world.change('hospital-a', [
      { act: 'revoke', kid: instance.kid, reason: 'compromised', suspectFrom: null },
    ])
    const old = {
      ...following({ now: () => world.clock.now - 60_000 }, replica, replica.notes[2]?.op as never),
      type: 'control' as const,
      entries: null,
    }
    const body: ControlBlock['body'] = {
      act: 'change',
      grants: { put: [], remove: [] },
      controllers: null,
      epoch: null,
      packages: null,
      hold: true,
      access: null,
      approvals: [],
    }
    const approval = await signApproval(
      {
        chain: record,
        seq: replica.link.state.seq,
        action: actionOf('control', body),
        expires: toTimestamp(world.clock.now + 1000),
      },
      instance,
    )
    const state = stateHash({ ...replica.link.state, seq: replica.link.state.seq + 1, hold: true })
    const signed = await signBlock({ ...old, state, body: { ...body, approvals: [approval] } }, instance)
    const answer = a.api.append({
      block: signed.compact,
      row: null,
      packages: [],
      labelKey: null,
      object: null,
    })
    await expect(answer).rejects.toMatchObject({ code: 'BLOCK_REFUSED' })
    await expect(a.append(record, [entry('two')])).rejects.toMatchObject({
      code: expect.stringMatching(/UNAUTHORIZED|BLOCK_REFUSED/),
    })
  })
})

describe('an approval', () => {
  it('counts for one chain, one state, one action, one time and one controller', async () => {
    const world = await testDeployment()
    const { a, record } = await recordWithEntry(world)
    const other = await createRecord(a, HOME, ['general'])
    const replica = await a.replica(record)
    const { instance } = world.institution('hospital-a')
    const body: Omit<ControlBlock['body'], 'approvals'> = {
      act: 'change',
      grants: { put: [], remove: [] },
      controllers: null,
      epoch: null,
      packages: null,
      hold: true,
      access: null,
    }
    const good = {
      chain: record,
      seq: replica.link.state.seq,
      action: actionOf('control', body),
      expires: toTimestamp(world.clock.now + 60_000),
    }
    const submit = async (approvals: string[]) => {
      const place = {
        ...following(
          { now: () => world.clock.now },
          await a.replica(record),
          toBase64url(world.random(16)) as never,
        ),
        type: 'control' as const,
        entries: null,
      }
      const state = stateHash({ ...replica.link.state, seq: replica.link.state.seq + 1, hold: true })
      const signed = await signBlock({ ...place, state, body: { ...body, approvals } }, instance)
      return a.api.append({ block: signed.compact, row: null, packages: [], labelKey: null, object: null })
    }
    const bad = [
      ['approval-chain', { ...good, chain: other.record }],
      ['approval-seq', { ...good, seq: good.seq + 1 }],
      ['approval-action', { ...good, action: actionOf('control', { ...body, hold: false }) }],
      ['approval-expired', { ...good, expires: toTimestamp(world.clock.now - 1) }],
    ] as const
    for (const [rule, approval] of bad) {
      await expect(submit([await signApproval(approval, instance)])).rejects.toMatchObject({
        code: 'VIOLATION',
        message: expect.stringContaining(rule),
      })
    }
    await expect(submit([])).rejects.toMatchObject({ message: expect.stringContaining('threshold') })
    await expect(
      submit([await signApproval(good, world.institution('hospital-b').instance)]),
    ).rejects.toMatchObject({ message: expect.stringContaining('threshold') })
    const approval = await signApproval(good, instance)
    await expect(submit([approval, approval])).rejects.toMatchObject({
      message: expect.stringContaining('approval-twice'),
    })
    await submit([approval])
    await expect(submit([approval])).rejects.toMatchObject({
      message: expect.stringContaining('approval-seq'),
    })
  })
})

function nextSymbol(symbol: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return alphabet[(alphabet.indexOf(symbol) + 1) % 64] ?? 'A'
}
