// SPDX-License-Identifier: Apache-2.0
import type { CompartmentId } from '../../bytes/ids.ts'
import { timestampMs, type Timestamp } from '../../bytes/timestamp.ts'
import { memberName, readableBy } from '../../chain/state.ts'
import type { HolderSpan, Replica } from '../read/replica.ts'
import { overlaps, type TimeWindow } from './window.ts'

/** A place in a chain and its time. */
export interface At {
  readonly height: number
  readonly time: Timestamp
}

/** What a reader could open for a time, whether it did or not. */
export interface CouldOpen {
  readonly reader: string
  /** By id and, where this institution was told it, by name. Every record has the same names, whatever is in it. */
  readonly compartments: readonly { readonly id: CompartmentId; readonly name: string | null }[]
  /** The block that gave it the keys, and the one that ended that; null while it has them. */
  readonly since: At
  readonly ended: At | null
  /** When its grant ended or ends: no home gave it anything from then on, whatever keys it has. */
  readonly grantEnds: Timestamp | null
  /** Epochs whose keys it had in this time: what was sealed in them before it came is among them, unless they were cut off. */
  readonly epochs: { readonly first: number; readonly last: number }
  /** Blocks in these epochs with something in these compartments, and all entries of those blocks: no more than that. */
  readonly blocks: number
  readonly entriesAtMost: number
}

interface Interval {
  readonly compartment: CompartmentId
  readonly since: number
  ended: number | null
  until: Timestamp | null
  readonly first: number
  last: number
}

/**
 * What a reader could open of a chain, from its control blocks alone, in order of when that began. Compartments that
 * came and went together are one.
 */
export function couldOpen(
  replica: Pick<Replica, 'notes' | 'readers' | 'link'>,
  reader: string,
  window: TimeWindow,
  nameOf: (compartment: CompartmentId) => string | null,
): readonly CouldOpen[] {
  const alike = Map.groupBy(
    intervals(replica, reader),
    ({ since, ended, until, first, last }) => `${since} ${ended ?? ''} ${until ?? ''} ${first} ${last}`,
  )
  return [...alike.values()]
    .flatMap((group) => {
      const [one] = group
      return one
        ? [
            describe(
              replica,
              reader,
              one,
              group.map(({ compartment }) => compartment),
              nameOf,
            ),
          ]
        : []
    })
    .filter(({ since, ended }) =>
      overlaps(window, timestampMs(since.time), ended === null ? null : timestampMs(ended.time)),
    )
}

/** Of each compartment, the times in which the reader had its keys. */
function intervals(
  { readers: spans, link }: Pick<Replica, 'readers' | 'link'>,
  reader: string,
): readonly Interval[] {
  const done: Interval[] = []
  const going = new Map<CompartmentId, Interval>()
  let reachable = 1
  // A chain has the same compartments from its first block on.
  const { compartments } = link.state
  for (const { height, epoch, reading } of spans) {
    if (epoch.isCut) reachable = epoch.number
    const has = new Set<CompartmentId>(readableBy({ ...reading, compartments }, reader))
    const until = grantEnd(reading, reader)
    for (const [compartment, interval] of going) {
      if (has.has(compartment)) continue
      done.push({ ...interval, ended: height })
      going.delete(compartment)
    }
    for (const compartment of has) {
      const interval = going.get(compartment)
      if (interval) [interval.last, interval.until] = [epoch.number, until]
      else
        going.set(compartment, {
          compartment,
          since: height,
          ended: null,
          until,
          first: reachable,
          last: epoch.number,
        })
    }
  }
  return [...done, ...going.values()].toSorted((a, b) => a.since - b.since)
}

/** A controller reads whatever its grant says. */
function grantEnd({ controllers, grants }: HolderSpan['reading'], reader: string): Timestamp | null {
  if (controllers.members.some((member) => memberName(member) === reader)) return null
  return grants.find(({ institution }) => institution === reader)?.until ?? null
}

function describe(
  { notes }: Pick<Replica, 'notes'>,
  reader: string,
  { since, ended, until, first, last }: Interval,
  compartments: readonly CompartmentId[],
  nameOf: (compartment: CompartmentId) => string | null,
): CouldOpen {
  const may = new Set<CompartmentId>(compartments)
  const touched = notes.flatMap(({ entries }) =>
    entries &&
    entries.epoch >= first &&
    entries.epoch <= last &&
    entries.compartments.some((id) => may.has(id))
      ? [entries.count]
      : [],
  )
  const at = (height: number): At => ({ height, time: notes[height]?.time ?? ('' as Timestamp) })
  return {
    reader,
    compartments: compartments.map((id) => ({ id, name: nameOf(id) })),
    since: at(since),
    ended: ended === null ? null : at(ended),
    grantEnds: until,
    epochs: { first, last },
    blocks: touched.length,
    entriesAtMost: touched.reduce((sum, count) => sum + count, 0),
  }
}
