// SPDX-License-Identifier: Apache-2.0
// Writes revocations.json: node tests/vectors/ampere/generate-revocations.ts
// All keys are Ed25519 and drawn from the seed, so every run gives the same bytes. Vectors that have been
// published are not generated again: a change of format gets a new file.
import { writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { canonicalize } from '#core/bytes/canonical-json.ts'
import { toBase64url, utf8 } from '#core/bytes/encoding.ts'
import type { Digest, Kid } from '#core/bytes/ids.ts'
import type { Timestamp } from '#core/bytes/timestamp.ts'
import { signJws } from '#core/block/jws.ts'
import { generateSoftwareKey, softwareSigner } from '#core/crypto/signature.ts'
import type { Random, Signer } from '#core/ports/keys.ts'
import { signRevocation, type Revocation } from '#core/registry/revocation.ts'
import { SEED, seededBytes } from './seeded-bytes.ts'

const TIME = '2026-11-01T09:00:00.000Z' as Timestamp
const LATER = '2026-11-01T08:30:00.000Z' as Timestamp

/** Statements about keys that a registry has, and what is wrong with those that are refused. */
export interface RevocationVectors {
  readonly registry: string
  /** What the registry says under each key, as far as a revocation asks. */
  readonly records: Readonly<Record<string, object>>
  readonly accepted: readonly { readonly statement: string; readonly institution: string; readonly kid: string }[]
  /** `code` is that of section 3 or 4, `rule` that of section 4. */
  readonly rejected: readonly {
    readonly why: string
    readonly code: string
    readonly rule: string | null
    readonly statement: string
  }[]
}

/** The vectors, the same in every run. */
export async function revocationVectors(): Promise<RevocationVectors> {
  const random = seededBytes(SEED)
  const registry = toBase64url(random(32)) as Digest
  const a = await keysOf(random)
  const b = await keysOf(random)
  const stranger = await draw(random)
  const records = { ...recordsOf('hospital-a', a, false), ...recordsOf('hospital-b', b, true) }
  const said = (kid: Kid, more: Partial<Revocation> = {}): Revocation => ({
    v: 1,
    registry,
    kid,
    reason: 'compromised',
    suspectFrom: null,
    time: TIME,
    ...more,
  })
  const accepted = [
    { of: said(a.instance.kid), by: a.root, institution: 'hospital-a' },
    { of: said(a.instance.kid, { suspectFrom: LATER }), by: a.root, institution: 'hospital-a' },
    { of: said(a.head.kid, { reason: 'retired' }), by: a.root, institution: 'hospital-a' },
    // Its root key was replaced since: what it said before stays said.
    { of: said(b.instance.kid, { reason: 'suspended' }), by: b.root, institution: 'hospital-b' },
  ]
  const rejected = await rejectedOf({ a, b, stranger, said })
  return {
    registry,
    records,
    accepted: await Promise.all(
      accepted.map(async ({ of, by, institution }) => ({
        statement: await signRevocation(of, by),
        institution,
        kid: of.kid,
      })),
    ),
    rejected,
  }
}

interface Keys {
  readonly root: Signer
  readonly instance: Signer
  readonly head: Signer
}

interface Cast {
  readonly a: Keys
  readonly b: Keys
  readonly stranger: Signer
  readonly said: (kid: Kid, more?: Partial<Revocation>) => Revocation
}

async function rejectedOf({ a, b, stranger, said }: Cast): Promise<RevocationVectors['rejected']> {
  const sign = (payload: object, by: Signer) => signJws('ampere-revocation+jws', payload, by)
  const broken = (why: string, rule: string, statement: string) => ({
    why,
    code: 'VERIFICATION_FAILED',
    rule,
    statement,
  })
  const bad = (why: string, code: string, statement: string) => ({ why, code, rule: null, statement })
  const whole = await sign(said(a.instance.kid), a.root)
  const unknown = toBase64url(utf8('x'.repeat(32))) as Kid
  return [
    broken('another registry', 'registry', await sign(said(a.instance.kid, { registry: unknown as never }), a.root)),
    broken('a key of another institution', 'revoke', await sign(said(b.instance.kid), a.root)),
    broken('a deployment of another institution', 'revoke', await sign(said(b.head.kid), a.root)),
    broken('a root key', 'revoke', await sign(said(a.root.kid), a.root)),
    broken('a key that nobody knows', 'revoke', await sign(said(unknown), a.root)),
    broken('signed by an instance', 'revoke', await sign(said(a.instance.kid), a.instance)),
    broken(
      'a retired key is suspect from no time on',
      'revoke',
      await sign(said(a.instance.kid, { reason: 'retired', suspectFrom: LATER }), a.root),
    ),
    bad('signed by nobody that is known', 'SIGNATURE_INVALID', await sign(said(a.instance.kid), stranger)),
    bad('the signature of another statement', 'SIGNATURE_INVALID', await withSignatureOf(whole, said, a)),
    bad('one member more', 'BLOCK_MALFORMED', await sign({ ...said(a.instance.kid), height: 1 }, a.root)),
    bad('another kind of statement', 'JWS_MALFORMED', await signJws('ampere-registry+jws', said(a.instance.kid), a.root)),
    bad('longer than 2048 characters', 'JWS_MALFORMED', await sign({ ...said(a.instance.kid), pad: 'x'.repeat(2048) }, a.root)),
  ]
}

async function withSignatureOf(whole: string, said: Cast['said'], { root, head }: Keys): Promise<string> {
  const other = await signJws('ampere-revocation+jws', said(head.kid), root)
  return `${whole.slice(0, whole.lastIndexOf('.'))}${other.slice(other.lastIndexOf('.'))}`
}

async function draw(random: Random): Promise<Signer> {
  return softwareSigner('Ed25519', generateSoftwareKey('Ed25519', random).seed)
}

async function keysOf(random: Random): Promise<Keys> {
  return { root: await draw(random), instance: await draw(random), head: await draw(random) }
}

function recordsOf(id: string, { root, instance, head }: Keys, isReplaced: boolean): Record<string, object> {
  const revoked = isReplaced ? { reason: 'compromised', suspectFrom: null, height: 3 } : null
  const key = ({ kid, publicKey: jwk }: Signer, use: string, owner: object, state: object | null = null) => ({
    [`key/${kid}`]: { v: 1, kind: 'key', kid, jwk, use, owner, revoked: state },
  })
  return {
    ...key(root, 'root', { institution: id }, revoked),
    ...key(instance, 'sign', { institution: id, instance: `${id}-1` }),
    ...key(head, 'head', { deployment: `${id}-home` }),
    [`deployment/${id}-home`]: {
      v: 1,
      kind: 'deployment',
      id: `${id}-home`,
      institution: id,
      origin: `https://${id}.example`,
      kid: head.kid,
    },
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const text = `${JSON.stringify({ seed: SEED, vectors: await revocationVectors() }, null, 2)}\n`
  writeFileSync(new URL('revocations.json', import.meta.url), text)
  process.stdout.write(`${canonicalize({ written: 'revocations.json' })}\n`)
}
