// SPDX-License-Identifier: Apache-2.0
import { AmpereError } from '../errors.ts'
import type { Fetch, Now, Random, SignatureAlgorithm, Signer, Unwrapper, Wrapper } from './keys.ts'
import type { LanguageModel } from './language-model.ts'
import type { ObjectAccess, ObjectsOf, ShredObjects } from './objects.ts'
import type { TableAccess, TableOf, WriteTable } from './table.ts'
import type { Uploads } from './uploads.ts'

/** Every table that exists. Adding one adds it to each platform's templates. */
export type TableName =
  | 'blocks'
  | 'states'
  | 'wraps'
  | 'packages'
  | 'labels'
  | 'registry'
  | 'following'
  | 'chains'
  | 'dirty'
  | 'jobs'
  | 'receipts'
  | 'quotas'
  | 'leaves'
  | 'checkpoints'
  | 'audits'
  | 'witness'
  | 'monitored'
  | 'bridge'
  | 'mirror'
  | 'mirror-keys'
  | 'enrolments'
/**
 * Every object store that exists: `entries` holds sealed objects, `originals` a bridge's sealed raw input, `log` what the
 * log serves, `staging` what a commit of the log promises to serve, `mirror` the objects of other homes, `uploads` what is
 * uploaded and not appended yet, and what jobs go on with: a store may remove what is there for longer than two days.
 */
export type ObjectsName = 'entries' | 'originals' | 'log' | 'staging' | 'mirror' | 'uploads'
/**
 * Every key a role can hold, each with one use: `bridge` signs as the app instance of an institution's bridge, `instance` as that of
 * a mirror, which in one account must not speak for each other.
 */
export type KeyName =
  | 'head'
  | 'log'
  | 'log-quantum'
  | 'witness'
  | 'witness-quantum'
  | 'instance'
  | 'bridge'
  | 'sealing'
  | 'institution'
  | 'controller'
export type KeyAccess = 'sign' | 'unwrap'

/**
 * The one use of each key: what it signs with, or that it unwraps. Instances sign as a KMS does (P-256);
 * what the log's tools must read is Ed25519.
 */
const KEY_USES: Readonly<Record<KeyName, SignatureAlgorithm | 'unwrap'>> = {
  head: 'Ed25519',
  log: 'Ed25519',
  'log-quantum': 'ML-DSA-44',
  witness: 'Ed25519',
  'witness-quantum': 'ML-DSA-44',
  instance: 'ES256',
  bridge: 'ES256',
  institution: 'ES256',
  controller: 'ES256',
  sealing: 'unwrap',
}

/** What a key signs with. @throws AmpereError KEY_UNAVAILABLE for a key that unwraps */
export function signingAlgorithm(name: KeyName): SignatureAlgorithm {
  const use = KEY_USES[name]
  if (use === 'unwrap') throw otherUse()
  return use
}

/** @throws AmpereError KEY_UNAVAILABLE for a key that signs */
export function checkUnwraps(name: KeyName): void {
  if (KEY_USES[name] !== 'unwrap') throw otherUse()
}

function otherUse(): AmpereError {
  return new AmpereError('KEY_UNAVAILABLE', 'a key has one use, and this is another')
}

/** What a role uses and how: the one value behind its port types, its cloud permissions and its trust row. */
export interface Needs {
  readonly tables: { readonly [N in TableName]?: TableAccess }
  readonly objects: { readonly [N in ObjectsName]?: ObjectAccess }
  readonly keys: { readonly [N in KeyName]?: KeyAccess }
  /** Asks the language model that is configured, if one is: what it asks leaves the process. */
  readonly model?: 'ask'
  /** Signs uploads into the object store `uploads`, into which it may store as well. */
  readonly uploads?: 'offer'
}

/** Exactly the ports that `N` names, so that code which uses another one does not compile. */
export type Ports<N extends Needs> = CommonPorts<N> &
  (N extends { readonly model: 'ask' } ? { readonly model: LanguageModel | null } : unknown) &
  (N extends { readonly uploads: 'offer' } ? { readonly uploads: Uploads | null } : unknown)

interface CommonPorts<N extends Needs> {
  readonly tables: { readonly [K in keyof N['tables']]: TableOf<Extract<N['tables'][K], TableAccess>> }
  readonly objects: { readonly [K in keyof N['objects']]: ObjectsOf<Extract<N['objects'][K], ObjectAccess>> }
  readonly keys: { readonly [K in keyof N['keys']]: N['keys'][K] extends 'sign' ? Signer : Unwrapper }
  readonly now: Now
  readonly random: Random
  readonly fetch: Fetch
}

/** What a provider's adapters offer; `select` narrows it to a role's needs. */
export interface Platform {
  table(name: TableName): WriteTable
  objects(name: ObjectsName): ShredObjects
  /** @throws AmpereError KEY_UNAVAILABLE, for a key of another use as well */
  signer(name: KeyName): Promise<Signer>
  /** @throws AmpereError KEY_UNAVAILABLE, for a key of another use as well */
  unwrapper(name: KeyName): Promise<Wrapper>
  /** Null, or left out, where none is configured. @throws AmpereError CONFIGURATION */
  readonly languageModel?: () => Promise<LanguageModel | null>
  /** Absent where the provider has none: then a body is as large as one request may be. */
  readonly uploads?: Uploads
  readonly now: Now
  readonly random: Random
  readonly fetch: Fetch
  close(): Promise<void>
}

/** The ports of one role on one platform: nothing beyond its needs is reachable through the result. */
export async function select<const N extends Needs>(platform: Platform, needs: N): Promise<Ports<N>> {
  const tables = names(needs.tables).map((name) => [name, platform.table(name)] as const)
  const objects = names(needs.objects).map((name) => [name, platform.objects(name)] as const)
  const keys = names(needs.keys).map(async (name) => {
    const key = needs.keys[name] === 'sign' ? await platform.signer(name) : await platform.unwrapper(name)
    return [name, key] as const
  })
  const ports = {
    tables: Object.fromEntries(tables),
    objects: Object.fromEntries(objects),
    keys: Object.fromEntries(await Promise.all(keys)),
    ...(needs.model === undefined ? {} : { model: (await platform.languageModel?.()) ?? null }),
    now: platform.now,
    random: platform.random,
    fetch: platform.fetch,
    ...(needs.uploads === 'offer' ? { uploads: platform.uploads ?? null } : {}),
  }
  return ports as unknown as Ports<N>
}

function names<T extends object>(record: T): (keyof T)[] {
  return Object.keys(record) as (keyof T)[]
}
