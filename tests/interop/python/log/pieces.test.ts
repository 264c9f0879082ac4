// SPDX-License-Identifier: Apache-2.0
import { beforeAll, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { toHex, utf8 } from '#core/bytes/encoding.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import { isAmpereError } from '#core/errors.ts'
import { leafHash, merkleRoot } from '#core/log/merkle.ts'
import { signCheckpointText } from '#core/log/note/cosignature.ts'
import { formatVerifierKey, parseVerifierKey } from '#core/log/note/key.ts'
import { formatNote, withSignatures } from '#core/log/note/note.ts'
import { signCheckpoint } from '#core/log/note/open-checkpoint.ts'
import { parsePolicy } from '#core/log/policy/policy.ts'
import { inclusionProof } from '#core/log/proof.ts'
import { formatTlogProof, parseTlogProof, verifyTlogProof } from '#core/log/tlog-proof.ts'
import { COSIGNED_NOTE, LOG_VKEY, signerOf, TIME, WITNESS_VKEY } from '#tests/core/log/signers.ts'
import { tlogVectors } from '#tests/vectors/tlog.ts'
import { wycheproof } from '#tests/vectors/wycheproof.ts'
import { askLogInPython, describeWithPython } from '../software.ts'

const vector = (name: string) => readFileSync(new URL(`../../../vectors/${name}`, import.meta.url), 'utf8')
const verifiers = createVerifiers()

/** A case of transparency-dev/merkle, testdata/inclusion. */
interface Inclusion {
  readonly leafIdx: number
  readonly treeSize: number
  readonly root: string
  readonly leafHash: string
  readonly proof: readonly string[] | null
  readonly desc: string
  readonly wantErr: boolean
}

describeWithPython('published vectors in Python', () => {
  it('of Wycheproof: all signatures of ML-DSA-44, with contexts', () => {
    const cases = wycheproof('mldsa_44_verify').flatMap((group) =>
      group.tests.map((test) => [group['publicKey'], test] as const),
    )
    const questions = cases.map(([key, test]) => ({
      mldsa: { public: key, message: test['msg'], signature: test['sig'], context: test['ctx'] ?? '' },
    }))
    const said = askLogInPython(questions).map((answer, i) => [cases[i]?.[1].tcId, answer])
    expect(said).toEqual(cases.map(([, { tcId, result }]) => [tcId, result === 'valid']))
    expect(said).toHaveLength(180)
  })

  it('of transparency-dev/merkle: inclusion proofs, good and bad', () => {
    const cases = vector('merkle/inclusion.jsonl')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Inclusion)
    const questions = cases.map(({ leafIdx, treeSize, root, leafHash: leaf, proof }) => ({
      inclusion: { leaf: leaf || '', index: leafIdx, size: treeSize, hashes: proof ?? [], root: root || '' },
    }))
    const said = askLogInPython(questions).map((answer, i) => [cases[i]?.desc, answer])
    expect(said).toEqual(cases.map(({ desc, wantErr }) => [desc, !wantErr]))
    expect(cases).toHaveLength(98)
  })

  it('of C2SP and others: verifier keys, cosigned checkpoints, a subtree, and a key id that is not its key’s', () => {
    const { torchwood, subtree, vkeyOfAnotherId } = tlogVectors
    const note = torchwood.addCheckpoint.slice(torchwood.addCheckpoint.indexOf('\n\n') + 2)
    const policy = `log ${LOG_VKEY}\nwitness w ${WITNESS_VKEY}\nquorum w\n`
    const { signature, ...part } = subtree
    expect(
      askLogInPython([
        ...[LOG_VKEY, WITNESS_VKEY, subtree.vkey, torchwood.vkey, vkeyOfAnotherId].map((vkey) => ({ vkey })),
        { checkpoint: COSIGNED_NOTE, policy, log: 'ampere.example/log1' },
        {
          checkpoint: COSIGNED_NOTE,
          policy: policy.replace('quorum w', 'quorum none'),
          log: 'ampere.example/log1',
        },
        { checkpoint: COSIGNED_NOTE, policy, log: 'ampere.example/log2' },
        { checkpoint: note, policy: `log ${torchwood.vkey}\nquorum none\n`, log: 'example.com/mldsa-log' },
        { subtree: part, line: signature.trimEnd() },
        { subtree: { ...part, end: part.end + 1 }, line: signature.trimEnd() },
      ]),
    ).toEqual([
      '07430ee7',
      'df1c0a35',
      subtree.vkey.split('+')[1],
      torchwood.vkey.split('+')[1],
      false,
      { size: 1, isWitnessed: true, latest: TIME },
      { size: 1, isWitnessed: false, latest: TIME },
      null,
      { size: 1, isWitnessed: false, latest: 0 },
      true,
      false,
    ])
  })
})

const ENTRIES = Array.from({ length: 7 }, (_, i) => utf8(`entry ${i}`))
const INDEX = 5

describeWithPython('what is spelt otherwise', () => {
  let proof = ''
  let policy = ''
  beforeAll(async () => {
    const hashes = ENTRIES.map(leafHash)
    const origin = 'ampere.example/log1'
    const checkpoint = { origin, size: 7, root: merkleRoot(hashes), extensions: [] }
    const log = [await signerOf(origin, 'Ed25519', 1), await signerOf(origin, 'cosignature-ML-DSA-44', 1)]
    const witnesses = [
      await signerOf('witness.example/w1', 'cosignature-Ed25519', 2),
      await signerOf('witness.example/w1', 'cosignature-ML-DSA-44', 2),
    ]
    const signed = await signCheckpoint(checkpoint, log, TIME)
    const cosigned = await Promise.all(
      witnesses.map((witness) => signCheckpointText(witness, signed.text, TIME + 5)),
    )
    const note = formatNote(withSignatures(signed, cosigned))
    proof = formatTlogProof({
      extra: new Uint8Array(32),
      index: INDEX,
      hashes: inclusionProof(hashes, INDEX),
      note,
    })
    policy = [
      ...log.map(({ key }) => `log ${formatVerifierKey(key)} https://log.example/`),
      ...witnesses.map(({ key }, i) => `witness w-${i} ${formatVerifierKey(key)}`),
      'group w all w-0 w-1',
      'quorum w',
      '',
    ].join('\n')
  })

  it('in a proof or its checkpoint is taken or refused by both', async () => {
    const [entry] = ENTRIES.slice(INDEX)
    if (!entry) throw new Error('an entry is expected')
    const texts = [proof, ...variantsOf(proof)]
    const pinned = parsePolicy(policy)
    const here = await Promise.all(
      texts.map(async (text) => {
        try {
          await verifyTlogProof(parseTlogProof(text), entry, pinned, verifiers)
          return true
        } catch (error) {
          if (isAmpereError(error, 'LOG_MALFORMED', 'SIGNATURE_INVALID', 'PROOF_INVALID')) return false
          throw error
        }
      }),
    )
    const asked = texts.map((text) => ({ proof: text, entry: toHex(entry), policy }))
    expect(verdicts(texts, askLogInPython(asked))).toEqual(verdicts(texts, here))
    expect([here[0], here.length]).toEqual([true, expect.any(Number)])
    expect(here.filter(Boolean).length).toBeGreaterThan(5)
  })

  it('in a policy is taken or refused by both', () => {
    const texts = [policy, ...variantsOf(policy), ...LARGE_POLICIES(policy)]
    const here = texts.map((text) => holds(() => parsePolicy(text)))
    const there = askLogInPython(texts.map((text) => ({ policy: text })))
    expect(verdicts(texts, there)).toEqual(verdicts(texts, here))
    expect(here.filter(Boolean).length).toBeGreaterThan(5)
  })

  it('in a verifier key is taken or refused by both', () => {
    const texts = [LOG_VKEY, WITNESS_VKEY].flatMap((key) => [
      key,
      ...variantsOf(key),
      ...Array.from(key, (_, i) => `${key.slice(0, i)}${key[i] === 'A' ? 'B' : 'A'}${key.slice(i + 1)}`),
      key.toUpperCase(),
    ])
    const here = texts.map((text) => (holds(() => parseVerifierKey(text)) ? text.split('+')[1] : false))
    expect(verdicts(texts, askLogInPython(texts.map((vkey) => ({ vkey }))))).toEqual(verdicts(texts, here))
  })
})

/** What a line or an item may be instead. */
const OTHERS = [
  ...'# none all any 0 1 01 2 3 +1 1e0 7 8 -1 x = AAAA AAA= AAB= w w-0 w-1 quorum a:b https://a'.split(' '),
  ...'9007199254740991 9007199254740992 18446744073709551616 \u0661 w\u00e4 \u2014'.split(' '),
  ...',\0,\t,\r,\x1f, ,\x7f,\u0085,\u00a0,\u2028,\ufeff'.split(','),
  ...[255, 256].map((length) => 'a'.repeat(length)),
]

/** A text with each line gone, doubled, moved, or with something else before, after, or for one of its items. */
function variantsOf(text: string): readonly string[] {
  const lines = text.split('\n')
  const withLine = (at: number, ...instead: readonly string[]) =>
    [...lines.slice(0, at), ...instead, ...lines.slice(at + 1)].join('\n')
  return lines.flatMap((line, at) => [
    withLine(at),
    withLine(at, line, line),
    withLine(at, line, ''),
    withLine(at, line.replaceAll(' ', '  ')),
    withLine(at, line.replaceAll(' ', '\t')),
    withLine(at, line.slice(0, -1)),
    withLine(at, ` ${line}`),
    withLine(at, `${line} x`),
    withLine(at, `${line.slice(0, -1)}A`),
    withLine(at, `${line.slice(0, -2)}B${line.slice(-1)}`),
    withLine(at, line.replace(/=+$/, '')),
    withLine(at, lines[at + 1] ?? '', line),
    ...OTHERS.flatMap((other) => [
      withLine(at, other),
      withLine(at, line, other),
      withLine(at, `${line}${other}`),
      ...line.split(' ').map((_, i) => withLine(at, line.split(' ').with(i, other).join(' '))),
    ]),
  ])
}

/** Policies at, and beyond, how much there may be. */
const LARGE_POLICIES = (policy: string): readonly string[] =>
  [1024 * 1024, 1024 * 1024 + 1].map((size) => `${policy}#${'x'.repeat(size - policy.length - 2)}\n`)

function holds(read: () => unknown): boolean {
  try {
    read()
    return true
  } catch (error) {
    if (isAmpereError(error, 'LOG_MALFORMED', 'KEY_MALFORMED', 'UNSUPPORTED')) return false
    throw error
  }
}

/** Verdicts that differ are easier to find beside their texts. */
function verdicts(texts: readonly string[], said: readonly unknown[]): readonly unknown[] {
  return said.map((verdict, i) => [texts[i]?.slice(0, 4000), verdict])
}
