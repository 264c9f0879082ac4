// SPDX-License-Identifier: Apache-2.0
import type { ChainId } from '../../bytes/ids.ts'
import type { CompletedErasure, RecordClient } from '../../client/client.ts'
import { digestOf } from '../../crypto/hash.ts'
import { isAmpereError } from '../../errors.ts'
import { resourceKey } from '../../record/current.ts'
import type { IndexedEntry } from '../store/resources.ts'
import type { BridgeStore } from '../store/open.ts'
import { project, type Projection, type ServedResource, type ServedVersion } from './projection.ts'
import { mayOpenLater } from './record-items.ts'

/** Projections of the records that were opened, kept in memory and brought up to date when asked for. */
export interface Projections {
  /** A record as it stands now; whatever it erased since is forgotten here before it is given out. */
  load(patientId: string, chain: ChainId): Promise<Loaded>
}

export interface Loaded {
  readonly projection: Projection
  /** Entries that were opened for it since it was last asked for. */
  readonly opened: number
}

interface Needed {
  readonly client: RecordClient
  readonly store: BridgeStore
  readonly source: string
}

/** Keeps what it loaded. */
export function createProjections(ports: Needed): Projections {
  const kept = new Map<ChainId, Projection>()
  return {
    load: async (patientId, chain) => {
      const before = kept.get(chain) ?? null
      const view = await ports.client.read(chain)
      if (before?.view === view) return { projection: before, opened: 0 }
      const next = project(view, ports.source, before)
      await indexNews(ports, patientId, next, before)
      for (const erasure of view.erasures) await settle(ports, next, erasure, before)
      // A read that began earlier may end later.
      if ((kept.get(chain)?.view.height ?? -1) <= view.height) kept.set(chain, next)
      return { projection: next, opened: view.opened.length - (before?.view.opened.length ?? 0) }
    },
  }
}

/** Notes what opened since: by `before`, which was noted, or after a restart by how far that had come. */
async function indexNews(
  { store }: Needed,
  patientId: string,
  projection: Projection,
  before: Projection | null,
): Promise<void> {
  const { chain, height, closed } = projection.view
  const from = await store.progress.indexedTo(chain)
  const noted = new Set(before?.view.opened.map((entry) => entry.id))
  const isNew = (version: ServedVersion) =>
    before === null ? version.height > from : !noted.has(version.entry.id)
  const news = [...projection.resources.values()].flatMap((resource) =>
    indexedEntries(resource, patientId, isNew),
  )
  if (news.length > 0) await store.resources.note(chain, news)
  // Not beyond what may open later: it would never be noted, and come back after it was erased.
  const to = Math.min(height, ...closed.filter(mayOpenLater).map((entry) => entry.height - 1))
  if (to > from) await store.progress.setIndexed(chain, to)
}

function indexedEntries(
  { type, id, versions }: ServedResource,
  patientId: string,
  isNew: (version: ServedVersion) => boolean,
): readonly IndexedEntry[] {
  return versions.filter(isNew).map((version) => ({
    id: version.entry.id,
    patientId,
    resource: resourceKey(version.header),
    content: digestOf(version.entry.content),
    served: `${type}/${id}`,
  }))
}

/** Forgets what a block erased, and says so to the home, once. */
async function settle(
  { store, client }: Needed,
  projection: Projection,
  erasure: CompletedErasure,
  before: Projection | null,
): Promise<void> {
  const { chain } = projection.view
  const isSettled = await store.progress.isSettled(chain, erasure.height)
  // Another process settled it, and this one may have noted afterwards what it had read before.
  if (isSettled && (before === null || before.view.height >= erasure.height)) return
  if (erasure.body.scope === 'record') await store.resources.forgetAll(chain)
  else {
    const remain = new Set(
      [...projection.resources.values()].flatMap(({ versions }) =>
        versions.slice(0, 1).map((version) => resourceKey(version.header)),
      ),
    )
    const ids = erasure.body.targets.flatMap((target) => target.ids)
    await store.resources.forget(chain, ids, remain)
  }
  if (isSettled) return
  try {
    await client.stateErased(chain, erasure)
  } catch (error) {
    // It is forgotten here whether or not the home hears of it now; the statement is owed until it does.
    if (isAmpereError(error)) return
    throw error
  }
  await store.progress.setSettled(chain, erasure.height)
}
