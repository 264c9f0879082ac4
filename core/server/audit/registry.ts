// SPDX-License-Identifier: Apache-2.0
import { fromUtf8 } from '../../bytes/encoding.ts'
import type { ChainId } from '../../bytes/ids.ts'
import { isViolation, violation, type Violation } from '../../block/violation.ts'
import { AmpereError, isAmpereError } from '../../errors.ts'
import { openRegistryBlock } from '../../registry/block.ts'
import { createRegistryHistory, type RegistryHistory } from '../../registry/history.ts'
import { applyRegistryBlock } from '../../registry/reduce.ts'
import type { Home } from '../home.ts'
import { REGISTRY_PARTITION } from '../store/registry.ts'
import { BLOCKS_END, heightKey } from '../store/rows.ts'
import type { AuditorPorts } from './needs.ts'
import type { AuditFinding } from './report.ts'

/** The registry as an audit sees it. */
export interface AuditedRegistry {
  /** What chains are judged by: as far as the stored rows or this process's memory reach. */
  readonly history: RegistryHistory
  readonly findings: readonly AuditFinding[]
  /** Notes, once, that a chain names a registry block that is not stored. */
  readonly missing: (height: number) => void
}

/** Verifies the registry from its stored rows, not from what this process remembers of them. */
export async function auditRegistry(ports: AuditorPorts, home: Home): Promise<AuditedRegistry> {
  const { pinned } = home.registry
  const findings: AuditFinding[] = []
  const find = (height: number, status: AuditFinding['status'], { rule, detail }: Violation) => {
    findings.push({ chain: pinned as string as ChainId, height, status, rule, detail })
  }
  const stored = createRegistryHistory(pinned, home.verifiers)
  const broken = await foldRows(ports, home, stored)
  if (broken) find(stored.height() + 1, broken.status, broken.violation)
  const missing = (height: number) => {
    if (findings.length === 0)
      find(height, 'missing', violation('height', `registry block ${height} was here and is missing`))
  }
  const remembered = await home.registry.refresh().catch((error: unknown) => {
    // What cannot be read any more is named above.
    if (isAmpereError(error)) return stored
    throw error
  })
  if (remembered.height() > stored.height()) missing(stored.height() + 1)
  const history = remembered.height() > stored.height() ? remembered : stored
  return { history, findings, missing }
}

/** @returns what is wrong with the row after the last that was added, or null */
async function foldRows(
  ports: AuditorPorts,
  home: Home,
  history: RegistryHistory,
): Promise<{ readonly status: AuditFinding['status']; readonly violation: Violation } | null> {
  for (;;) {
    const rows = await ports.tables.registry.range(REGISTRY_PARTITION, {
      from: heightKey(history.height() + 1),
      to: BLOCKS_END,
    })
    if (rows.length === 0) return history.height() < 0 ? absent() : null
    for (const row of rows) {
      if (row.key !== heightKey(history.height() + 1)) return absent()
      const broken = await addRow(home, history, row.value)
      if (broken) return { status: 'tampered', violation: broken }
    }
  }
}

function absent(): { readonly status: 'missing'; readonly violation: Violation } {
  return { status: 'missing', violation: violation('height', 'a registry block is missing') }
}

async function addRow(home: Home, history: RegistryHistory, value: Uint8Array): Promise<Violation | null> {
  try {
    await history.add(fromUtf8(value))
    return null
  } catch (error) {
    if (!(error instanceof AmpereError)) throw error
    return ruleOf(home, history, value, error)
  }
}

/** Opens and judges the block once more, to know which rule it was. */
async function ruleOf(
  home: Home,
  history: RegistryHistory,
  value: Uint8Array,
  failure: AmpereError,
): Promise<Violation> {
  try {
    const opened = await openRegistryBlock(fromUtf8(value), history.keyOf, home.verifiers)
    const applied = applyRegistryBlock(history.link(), opened)
    return isViolation(applied) ? applied : violation('registry', failure.message)
  } catch (error) {
    if (!(error instanceof AmpereError)) throw error
    return violation(error.code === 'SIGNATURE_INVALID' ? 'signature' : 'malformed', error.message)
  }
}
