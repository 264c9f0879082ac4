// SPDX-License-Identifier: Apache-2.0
import type { Signer, Wrapper } from '#core/ports/keys.ts'
import type { LanguageModel } from '#core/ports/language-model.ts'
import type { KeyName, ObjectsName, Platform, TableName } from '#core/ports/needs.ts'
import type { ShredObjects } from '#core/ports/objects.ts'
import type { WriteTable } from '#core/ports/table.ts'
import type { Uploads } from '#core/ports/uploads.ts'

/** One call of a port, for example `table.blocks.insert`. */
export type CallName = string

/** Decides about each call: run `act`, or not, or run it and still fail. */
export type Around = <T>(name: CallName, act: () => Promise<T>) => Promise<T>

/**
 * A platform whose every call of a table, an object store, a signer, an unwrapper, a language model and uploads goes
 * through `around`.
 */
export function wrapPlatform(platform: Platform, around: Around): Platform {
  const { languageModel } = platform
  return {
    ...platform,
    ...(languageModel === undefined
      ? {}
      : { languageModel: async () => wrapModel(await languageModel(), around) }),
    table: (name) => wrapTable(platform.table(name), name, around),
    objects: (name) => wrapObjects(platform.objects(name), name, around),
    signer: async (name) => wrapSigner(await platform.signer(name), name, around),
    unwrapper: async (name) => wrapUnwrapper(await platform.unwrapper(name), name, around),
    ...(platform.uploads ? { uploads: wrapUploads(platform.uploads, around) } : {}),
  }
}

/** True for the name of a call that uses a key, and false for one that uses a store. */
export function isKeyCall(name: CallName): boolean {
  return name.startsWith('key.')
}

/** True for the name of a call that asks a language model. */
export function isModelCall(name: CallName): boolean {
  return name.startsWith('model.')
}

function wrapModel(model: LanguageModel | null, around: Around): LanguageModel | null {
  if (!model) return null
  return {
    ...model,
    answer: (question, options) => around('model.answer', () => model.answer(question, options)),
  }
}

function wrapTable(table: WriteTable, name: TableName, around: Around): WriteTable {
  return {
    get: (partition, key) => around(`table.${name}.get`, () => table.get(partition, key)),
    range: (partition, range) => around(`table.${name}.range`, () => table.range(partition, range)),
    insert: (partition, key, value) =>
      around(`table.${name}.insert`, () => table.insert(partition, key, value)),
    swap: (partition, key, expected, next) =>
      around(`table.${name}.swap`, () => table.swap(partition, key, expected, next)),
  }
}

function wrapObjects(objects: ShredObjects, name: ObjectsName, around: Around): ShredObjects {
  return {
    fetch: (object, range) => around(`objects.${name}.fetch`, () => objects.fetch(object, range)),
    store: (object, bytes) => around(`objects.${name}.store`, () => objects.store(object, bytes)),
    shred: (object) => around(`objects.${name}.shred`, () => objects.shred(object)),
  }
}

function wrapUploads(uploads: Uploads, around: Around): Uploads {
  return {
    maxBytes: uploads.maxBytes,
    offer: (name, terms) => around('uploads.offer', () => uploads.offer(name, terms)),
    admit: (url) => around('uploads.admit', () => uploads.admit(url)),
  }
}

function wrapSigner(signer: Signer, name: KeyName, around: Around): Signer {
  return { ...signer, sign: (bytes) => around(`key.${name}.sign`, () => signer.sign(bytes)) }
}

function wrapUnwrapper(unwrapper: Wrapper, name: KeyName, around: Around): Wrapper {
  return {
    wrap: (seed) => around(`key.${name}.wrap`, () => unwrapper.wrap(seed)),
    unwrap: (wrapped) => around(`key.${name}.unwrap`, () => unwrapper.unwrap(wrapped)),
  }
}
