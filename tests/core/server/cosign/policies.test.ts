// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { fromUtf8, utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId, type ChainId } from '#core/bytes/ids.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import { checkpointIn } from '#core/log/note/checkpoint.ts'
import { formatVerifierKey } from '#core/log/note/key.ts'
import { openCheckpoint } from '#core/log/note/open-checkpoint.ts'
import { formatNote, parseNote } from '#core/log/note/note.ts'
import { parsePolicy, type Policy } from '#core/log/policy/policy.ts'
import { quorumOf } from '#core/log/policy/quorum.ts'
import { parseTlogProof } from '#core/log/tlog-proof.ts'
import { select } from '#core/ports/needs.ts'
import { auditLog } from '#core/server/audit/log/audit-log.ts'
import { AUDITOR_NEEDS } from '#core/server/audit/needs.ts'
import { createCosigner, type CosignReport } from '#core/server/cosign/cosigner.ts'
import { COSIGNER_NEEDS } from '#core/server/cosign/needs.ts'
import { READER_NEEDS } from '#core/server/read/read-chain.ts'
import { receiptFinder } from '#core/server/read/receipt.ts'
import { SEQUENCER_NEEDS } from '#core/server/sequence/needs.ts'
import { createSequencer } from '#core/server/sequence/sequencer.ts'
import { heightKey } from '#core/server/store/rows.ts'
import { ORIGIN } from '#tests/deployment.ts'
import { witnessedWorld, type WitnessedWorld } from './witnessed-world.ts'

const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }
const entry = (text: string) => ({ header: utf8('{}'), content: utf8(text), compartment: 'general' })

/** The world's keys with another quorum; a start of the home reads it. */
function policyOf({ policy, witnesses }: WitnessedWorld, quorum: string, only = witnesses): Policy {
  const names = only.map((origin) => new URL(origin).hostname.replace('.test', ''))
  const lines = policy.logs.map(({ key }) => `log ${formatVerifierKey(key)}`)
  for (const { name, key, url } of policy.witnesses)
    if (names.some((each) => name.startsWith(`${each}-`)))
      lines.push(`witness ${name} ${formatVerifierKey(key)} ${url ?? ''}`)
  for (const name of names) lines.push(`group ${name} all ${name}-0 ${name}-1`)
  return parsePolicy([...lines, quorum, ''].join('\n'))
}

/** A record of which the first blocks were witnessed by w1 alone, and then the policy asks for both. */
async function scene() {
  const made = await witnessedWorld(['w1', 'w2'], 2)
  const { world, base } = made
  const earlier = policyOf(made, 'quorum w1', made.witnesses.slice(0, 1))
  const { record } = await createRecord(world.connect('hospital-a'), HOME, ['general'])
  const cosigner = async (policy: Policy) =>
    createCosigner(await select(base, COSIGNER_NEEDS), world.home, policy)
  const sequencer = createSequencer(await select(base, SEQUENCER_NEEDS), world.home)
  const sequence = () => sequencer.run()
  await sequence()
  await (await cosigner(earlier)).run()
  const receipt = async (policy: Policy | null, height = 1, chain: ChainId = record) =>
    receiptFinder(await select(base, READER_NEEDS), policy)(chain, height)
  const append = async () => {
    await world.connect('hospital-a').append(record, [entry('more')])
    await sequence()
  }
  const kept = async () =>
    (await base.table('checkpoints').range('witnessed')).map((row) => fromUtf8(row.value))
  const satisfies = async (note: string, policy: Policy) => {
    const keys = {
      logs: policy.logs.map(({ key }) => key),
      cosigners: policy.witnesses.map(({ key }) => key),
    }
    const { cosignatures } = await openCheckpoint(note, keys, createVerifiers())
    return quorumOf(
      policy,
      cosignatures.map(({ key }) => key),
    ).satisfied
  }
  const audit = async (policy: Policy) =>
    (await auditLog(await select(base, AUDITOR_NEEDS), world.home, { ...world.logTrust, policy })).report
  return { ...made, record, earlier, cosigner, receipt, append, kept, satisfies, audit }
}

const sizeOf = (proof: string | undefined) => checkpointIn(parseTlogProof(proof ?? '').note).size

describe('after a witness was added to the policy', () => {
  it('blocks are logged and not witnessed, until the new quorum has cosigned: without an append', async () => {
    const { earlier, policy, receipt, cosigner, kept, satisfies, base } = await scene()
    expect((await receipt(earlier))?.level).toBe('witnessed')
    expect((await receipt(policy))?.level).toBe('logged')
    expect(await (await cosigner(policy)).run()).toMatchObject({ outcome: 'asked', satisfied: true })
    expect((await receipt(policy))?.level).toBe('witnessed')
    const notes = await kept()
    expect(notes).toHaveLength(1)
    // Who still has the earlier policy loses nothing.
    expect(await satisfies(notes[0] ?? '', policy)).toBe(true)
    expect(await satisfies(notes[0] ?? '', earlier)).toBe(true)
    const published = await base.table('checkpoints').get('log', 'published')
    expect(fromUtf8(published?.value ?? utf8(''))).toBe(notes[0])
  })

  it('receipts are made with the first kept checkpoint that has the new quorum, and earlier ones stay', async () => {
    const { earlier, policy, receipt, cosigner, append, kept } = await scene()
    const old = await cosigner(earlier)
    for (let i = 0; i < 3; i++) {
      await append()
      await old.run()
    }
    const before = await kept()
    expect(before).toHaveLength(4)
    const now = await cosigner(policy)
    await append()
    await now.run()
    const first = await receipt(policy)
    expect([first?.level, sizeOf(first?.proof)]).toEqual([
      'witnessed',
      checkpointIn((await kept())[4] ?? '').size,
    ])
    await append()
    await now.run()
    const after = await kept()
    expect(after.slice(0, 4)).toEqual(before)
    expect(await receipt(policy)).toEqual(first)
    for (const height of [2, 3, 4])
      expect(sizeOf((await receipt(policy, height))?.proof)).toBe(sizeOf(first?.proof))
    expect(sizeOf((await receipt(policy, 6))?.proof)).toBe(checkpointIn(after[5] ?? '').size)
    // Under the earlier one each block has the receipt that it had.
    expect(sizeOf((await receipt(earlier))?.proof)).toBe(checkpointIn(before[0] ?? '').size)
  })

  it('what was cosigned for the earlier policy is still shown, as logged, to readers who hold to that', async () => {
    const { policy, receipt, append, satisfies, earlier, between, witnesses, cosigner } = await scene()
    between.delete(witnesses[1] ?? '')
    await append()
    await (await cosigner(policy)).run()
    for (const present of [policy, null]) {
      const shown = await receipt(present)
      expect(shown?.level).toBe('logged')
      expect(await satisfies(parseTlogProof(shown?.proof ?? '').note, earlier)).toBe(true)
    }
  })

  it('an audit counts the checkpoints of the earlier policy and finds nothing', async () => {
    const { policy, earlier, cosigner, append, audit } = await scene()
    const old = await cosigner(earlier)
    await append()
    await old.run()
    expect(await audit(policy)).toMatchObject({ findings: [], unlisted: 0, earlier: 2 })
    await append()
    await (await cosigner(policy)).run()
    expect(await audit(policy)).toMatchObject({ findings: [], unlisted: 0, earlier: 2 })
    expect(await audit(earlier)).toMatchObject({ findings: [], earlier: 0 })
  })
})

describe('a kept checkpoint of the newest size', () => {
  const keys = (made: { readonly base: WitnessedWorld['base'] }) => made.base.table('checkpoints')

  async function changed(how: (note: string) => string) {
    const made = await scene()
    const [row] = await keys(made).range('witnessed')
    const note = how(fromUtf8(row?.value ?? utf8('')))
    await keys(made).swap('witnessed', row?.key ?? '', row?.version ?? null, utf8(note))
    return { made, row, note }
  }
  const bare = (note: string) => {
    const { text, signatures } = parseNote(note)
    return formatNote({ text, signatures: signatures.filter(({ name }) => name.endsWith('/log')) })
  }

  it('that lost its cosignatures is no earlier one, is found, and is put right by the next start', async () => {
    const { made, row, note } = await changed(bare)
    expect((await made.receipt(made.earlier))?.level).toBe('logged')
    expect((await made.audit(made.earlier)).findings).toMatchObject([
      { rule: 'witnessed-quorum', where: `checkpoints/witnessed/${row?.key ?? ''}` },
    ])
    expect(await (await made.cosigner(made.earlier)).run()).toMatchObject({ satisfied: true })
    const [now] = await made.kept()
    expect(now).not.toBe(note)
    expect((await made.receipt(made.earlier))?.level).toBe('witnessed')
  })

  it('that cannot be read gives way to the one that is published', async () => {
    const { made } = await changed(() => 'nothing\n')
    expect(await made.receipt(made.earlier)).toMatchObject({ level: 'logged' })
    await (await made.cosigner(made.earlier)).run()
    expect((await made.receipt(made.earlier))?.level).toBe('witnessed')
  })

  it('that has the quorum stays as it is when its cosignatures are renewed', async () => {
    const made = await scene()
    const before = await made.kept()
    made.clock.now += 2 * 3_600_000
    const renewed: CosignReport = await (await made.cosigner(made.earlier)).run()
    expect(renewed).toMatchObject({ outcome: 'asked', satisfied: true })
    expect(await made.kept()).toEqual(before)
    expect(heightKey(checkpointIn(before[0] ?? '').size)).toBe((await keys(made).range('witnessed'))[0]?.key)
  })

  it('is kept where the quorum is lowered to what had cosigned already, and needs nobody for it', async () => {
    const made = await scene()
    const { policy, between, witnesses, cosigner, append } = made
    between.delete(witnesses[1] ?? '')
    await append()
    expect(await (await cosigner(policy)).run()).toMatchObject({ satisfied: false })
    expect(await made.kept()).toHaveLength(1)
    between.clear()
    expect(await (await cosigner(made.earlier)).run()).toMatchObject({ satisfied: true })
    expect(await made.kept()).toHaveLength(2)
    expect((await made.receipt(made.earlier, 2))?.level).toBe('witnessed')
  })
})
