// SPDX-License-Identifier: Apache-2.0
import type { ChainId } from '../../bytes/ids.ts'
import type { Timestamp } from '../../bytes/timestamp.ts'

/**
 * Rules of stored parts that an audit finds broken, beside those of blocks and of the registry
 * (docs/protocol/RULES.md). docs/OPERATIONS.md says what each means and what to do.
 */
export const PART_RULES = [
  'chain-row',
  'state-row',
  'label-row',
  'label-key',
  'package-row',
  'package-hash',
  'packages-root',
  'keys-row',
  'keys-root',
  'object',
  'object-form',
  'entries-root',
  'entry-hash',
  'destroyed-key',
  'erased-key',
  'erased-object',
  'erased-package',
  'erase-job',
  'erased-block',
  'erased-statement',
] as const
export type PartRule = (typeof PART_RULES)[number]

/** What an audit says beside what is damaged; docs/OPERATIONS.md explains each. */
export const FLAGS = ['diverged', 'rotation-due', 'erasure-waits', 'unreferenced', 'not-verified'] as const
export type Flag = (typeof FLAGS)[number]

/** Something that a store or an author did, with the rule that shows it. */
export interface AuditFinding {
  /** The chain, or the registry's id: the registry is a chain too. */
  readonly chain: ChainId
  readonly height: number
  readonly status: 'tampered' | 'missing'
  readonly rule: string
  /** What was found against what was signed; may name packages, never contents. */
  readonly detail: string
}

/** Something to know that is no damage: what waits, what is due, what nothing refers to. */
export interface AuditFlag {
  readonly chain: ChainId
  /** The block it is about, or null for the chain as a whole. */
  readonly height: number | null
  readonly flag: Flag
  readonly detail: string
  /** Since when, where a store knows it. */
  readonly since: Timestamp | null
}

/** What an audit of chains found. */
export interface AuditReport {
  readonly chains: number
  readonly blocks: number
  readonly entries: number
  readonly erased: number
  readonly findings: readonly AuditFinding[]
  readonly flags: readonly AuditFlag[]
  /** The chain to go on from, when the audit was told to stop after so many; else null. */
  readonly next: ChainId | null
}

/** What one pass over a chain brings together. */
export interface ChainReport {
  blocks: number
  entries: number
  erased: number
  readonly findings: AuditFinding[]
  readonly flags: AuditFlag[]
}

/** Notes broken rules of stored parts and flags about one chain. */
export interface Notes {
  readonly find: (height: number, status: AuditFinding['status'], rule: PartRule, detail: string) => void
  readonly flag: (height: number | null, flag: Flag, detail: string, since?: Timestamp | null) => void
}

/** Notes that end in a report. */
export function notesOf(chain: ChainId, report: Pick<ChainReport, 'findings' | 'flags'>): Notes {
  return {
    find: (height, status, rule, detail) => {
      report.findings.push({ chain, height, status, rule, detail })
    },
    flag: (height, flag, detail, since = null) => {
      report.flags.push({ chain, height, flag, detail, since })
    },
  }
}
