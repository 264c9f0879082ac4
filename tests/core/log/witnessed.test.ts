// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { createVerifiers } from '#core/crypto/signature.ts'
import { formatCheckpoint } from '#core/log/note/checkpoint.ts'
import { signCheckpointText } from '#core/log/note/cosignature.ts'
import { formatVerifierKey } from '#core/log/note/key.ts'
import { formatNote } from '#core/log/note/note.ts'
import { openCheckpoint } from '#core/log/note/open-checkpoint.ts'
import { parsePolicy } from '#core/log/policy/policy.ts'
import { isWitnessed } from '#core/log/policy/witnessed.ts'
import { policyKeys } from '#core/log/tlog-proof.ts'
import { CHECKPOINT, signerOf, TIME } from './signers.ts'

const logs = [
  await signerOf(CHECKPOINT.origin, 'Ed25519', 1),
  await signerOf(CHECKPOINT.origin, 'cosignature-ML-DSA-44', 2),
]
const witness = await signerOf('witness.example/w', 'cosignature-ML-DSA-44', 3)
const lines = [
  ...logs.map(({ key }) => `log ${formatVerifierKey(key)}`),
  `witness w ${formatVerifierKey(witness.key)}`,
]
const policyOf = (quorum: string) => parsePolicy([...lines, `quorum ${quorum}`, ''].join('\n'))
const verifiers = createVerifiers()

/** Signed by those of the log, and by the witness at a time. */
async function opened(signers: typeof logs, seconds: number | null) {
  const text = formatCheckpoint(CHECKPOINT)
  const signatures = await Promise.all(signers.map((signer) => signCheckpointText(signer, text, TIME)))
  if (seconds !== null) signatures.push(await signCheckpointText(witness, text, seconds))
  const { logs: keys, cosigners } = policyKeys(policyOf('w'))
  return openCheckpoint(formatNote({ text, signatures }), { logs: keys, cosigners }, verifiers)
}

describe('a checkpoint counts as witnessed', () => {
  it('with the quorum, at a time, and a signature of each type of key of its log', async () => {
    const policy = policyOf('w')
    expect(isWitnessed(policy, await opened(logs, TIME))).toBe(true)
    expect(isWitnessed(policy, await opened(logs, null))).toBe(false)
    const whole = await opened(logs, TIME)
    // ML-DSA-44 cosignatures may claim nothing about time.
    const timeless = whole.cosignatures.map(({ key }) => ({ key, time: 0 }))
    expect(isWitnessed(policy, { ...whole, cosignatures: timeless })).toBe(false)
    for (const each of logs) expect(isWitnessed(policy, await opened([each], TIME))).toBe(false)
  })

  it('without anybody where nobody is asked, and then too only as its log signs', async () => {
    const policy = policyOf('none')
    expect(isWitnessed(policy, await opened(logs, null))).toBe(true)
    for (const each of logs) expect(isWitnessed(policy, await opened([each], null))).toBe(false)
  })
})
