// SPDX-License-Identifier: Apache-2.0
import type { Provider } from '#infra/bundle/bundle.ts'

/** What a service counts for one call, from the bytes of the row or rows. */
export interface Units {
  readonly read: (bytes: number) => number
  readonly query: (bytes: number) => number
  readonly write: (bytes: number) => number
  /** True where reads and writes use up the same figure. */
  readonly isShared: boolean
}

/** Understand request unit consumption (learn.microsoft.com/azure/cosmos-db/understand-request-unit-consumption): KiB, read, write. */
const COSMOS_UNITS = [
  [1, 1, 4.95],
  [2, 1.04, 6.29],
  [4, 1.14, 6.67],
  [8, 1.33, 7.04],
  [16, 1.67, 9.52],
  [32, 2.19, 11.23],
  [64, 4.76, 22.67],
  [128, 9.95, 48.19],
  [256, 20.28, 98.29],
  [512, 40.95, 184.57],
  [1024, 145.9, 625],
] as const
/** Strong reads cost twice as much (Optimize request cost in Azure Cosmos DB, optimize-cost-reads-writes). */
const STRONG = 2
/** What a query in one partition costs beside the bytes that it reads. No page says it: from memory. */
const QUERY_UNITS = 2.3

/** How each provider counts calls of tables. */
export const UNITS: Readonly<Record<Provider, Units>> = {
  aws: {
    // One read unit is 4 KiB read strongly, one write unit 1 KiB; a query adds up its rows before it rounds.
    read: (bytes) => Math.max(1, Math.ceil(bytes / 4096)),
    query: (bytes) => Math.max(1, Math.ceil(bytes / 4096)),
    write: (bytes) => Math.max(1, Math.ceil(bytes / 1024)),
    isShared: false,
  },
  azure: {
    read: (bytes) => STRONG * cosmosUnits(bytes, 1),
    query: (bytes) => STRONG * cosmosUnits(bytes, 1) + QUERY_UNITS,
    write: (bytes) => cosmosUnits(bytes, 2),
    isShared: true,
  },
}

function cosmosUnits(bytes: number, column: 1 | 2): number {
  const row = COSMOS_UNITS.find(([kib]) => bytes <= kib * 1024)
  const [kib, ...units] = row ?? COSMOS_UNITS[COSMOS_UNITS.length - 1] ?? [1, 1, 5]
  return (units[column - 1] ?? 1) * Math.max(1, row ? 1 : bytes / (kib * 1024))
}
