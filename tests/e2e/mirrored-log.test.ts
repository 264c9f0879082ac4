// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { fromUtf8, utf8 } from '#core/bytes/encoding.ts'
import { checkpointIn } from '#core/log/note/checkpoint.ts'
import { formatNote, parseNote } from '#core/log/note/note.ts'
import type { LogKey } from '#core/log/note/key.ts'
import type { Fetch } from '#core/ports/keys.ts'
import { allRows } from '#core/server/copy/source.ts'
import { LOG_PARTITION, PUBLISHED_KEY, WITNESSED_PARTITION } from '#core/server/store/log.ts'
import { mirroredScene, type Scene } from './mirrored-scene.ts'

/** A checkpoint without its cosignatures. */
function stripped(note: string): string {
  const { text, signatures } = parseNote(note)
  const { origin } = checkpointIn(note)
  return formatNote({ text, signatures: signatures.filter(({ name }) => name === origin) })
}

/** A checkpoint without what one key signed. */
function without(note: string, { id }: LogKey): string {
  const { text, signatures } = parseNote(note)
  return formatNote({ text, signatures: signatures.filter((signature) => signature.id !== id) })
}

describe('the witnessed checkpoints in a mirror that knows the policy', () => {
  let scene: Scene
  let honest: Fetch
  const kept = async () => {
    const notes: string[] = []
    for await (const { value } of allRows(scene.copy.tables.checkpoints, WITNESSED_PARTITION))
      notes.push(fromUtf8(value))
    return notes
  }
  /** Who is between changes them. */
  const changing =
    (change: (note: string) => string): Fetch =>
    async (request) => {
      const response = await honest(request)
      if (!new URL(request.url).pathname.endsWith('/log/witnessed')) return response
      const page = (await response.json()) as { readonly items: readonly string[] }
      return Response.json({ ...page, items: page.items.map(change) })
    }
  const stripping = changing(stripped)

  beforeAll(async () => {
    scene = await mirroredScene()
    honest = scene.reached.fetch
  }, 60_000)
  afterAll(() => scene.close())

  it('are those with the quorum and all types of signatures of the log: others are left out, and taken when they come whole', async () => {
    const { logs } = scene.policy
    for (const between of [stripping, ...logs.map(({ key }) => changing((note) => without(note, key)))]) {
      scene.reached.fetch = between
      expect(await scene.run()).toMatchObject({ problems: [] })
      expect(await kept()).toEqual([])
    }
    scene.reached.fetch = honest
    await scene.run()
    const notes = await kept()
    expect(notes.length).toBeGreaterThan(0)
    expect(notes.map(stripped)).not.toEqual(notes)
  })

  it('are replaced where one is kept without the quorum, and by nothing that lacks it', async () => {
    const { checkpoints } = scene.copy.tables
    const before = await kept()
    const [row] = await checkpoints.range(WITNESSED_PARTITION)
    if (!row) throw new Error('a witnessed checkpoint is expected')
    await checkpoints.swap(WITNESSED_PARTITION, row.key, row.version, utf8(stripped(fromUtf8(row.value))))
    await scene.run()
    expect(await kept()).toEqual(before)
    scene.reached.fetch = stripping
    await scene.run()
    expect(await kept()).toEqual(before)
  })
})

describe('the published checkpoint in a mirror', () => {
  it('keeps every signature that it has, whatever whoever is between takes away, and can be restored', async () => {
    const scene = await mirroredScene()
    await scene.world.tendLog()
    await scene.run()
    const { checkpoints } = scene.copy.tables
    const before = await checkpoints.get(LOG_PARTITION, PUBLISHED_KEY)
    const honest = scene.reached.fetch
    const between = (key: LogKey) => {
      scene.reached.fetch = async (request) => {
        const response = await honest(request)
        if (new URL(request.url).pathname !== '/log/checkpoint') return response
        return new Response(without(await response.text(), key))
      }
    }
    for (const { key } of scene.policy.logs) {
      between(key)
      await expect(scene.run()).rejects.toMatchObject({ code: 'SIGNATURE_INVALID' })
    }
    for (const { key } of scene.policy.witnesses) {
      between(key)
      await scene.run()
    }
    expect((await checkpoints.get(LOG_PARTITION, PUBLISHED_KEY))?.value).toEqual(before?.value)
    await scene.lose()
    expect(await scene.restore()).toMatchObject({ losses: [] })
    await scene.close()
  }, 60_000)
})
