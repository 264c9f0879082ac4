// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../bytes/ids.ts'
import { createVerifiers } from '../crypto/signature.ts'
import { AmpereError, brokenRule, type ErrorCode } from '../errors.ts'
import { formatVerifierKey } from '../log/note/key.ts'
import { logOriginOf } from '../api/log.ts'
import { judgeCheckpoints } from './checkpoints.ts'
import { parseEvidence, type Evidence, type EvidenceKind } from './format.ts'
import { judgeHeads } from './heads.ts'
import { judgeBlocks, judgeLabels, judgeLeafForm, judgeOrder } from './leaves.ts'
import { judgePromise } from './promise.ts'
import { openLogKeys, openRegistry, type EvidencePins, type Trusted } from './trust.ts'

/** What a file that convinces shows. */
export interface Verdict {
  readonly kind: EvidenceKind
  /** Origin of the home, or of the log where only its log is concerned. */
  readonly against: string
  /** One sentence: exactly what is proved, and no more. */
  readonly proves: string
  /** What it rests on: the registry and the height as of which its keys were judged, and keys of the log. */
  readonly registry: { readonly id: Digest; readonly height: number } | null
  readonly logs: readonly string[]
}

/** How errors of the parts of a file are said: each is a reason why the file does not convince. */
const RULES: Partial<Record<ErrorCode, string>> = {
  JWS_MALFORMED: 'form',
  BLOCK_MALFORMED: 'form',
  REQUEST_MALFORMED: 'form',
  LOG_MALFORMED: 'form',
  JSON_MALFORMED: 'form',
  ENCODING_MALFORMED: 'form',
  UNSUPPORTED: 'form',
  KEY_MALFORMED: 'signature',
  SIGNATURE_INVALID: 'signature',
  PROOF_INVALID: 'proof',
}

/**
 * Judges an evidence file with nothing but itself and what is pinned: no server, no secret, no clock.
 * @throws AmpereError EVIDENCE_MALFORMED for what is no evidence file; CONFIGURATION when a pin is missing that this
 * kind needs; VERIFICATION_FAILED with the rule (docs/PROTOCOL.md, Evidence) when it does not convince
 */
export async function verifyEvidence(bytes: Uint8Array, pins: EvidencePins): Promise<Verdict> {
  const evidence = parseEvidence(bytes)
  try {
    const trusted = await trustedBy(evidence, pins)
    const proves = await judge(evidence, trusted)
    const { registry, logKeys } = trusted
    return {
      kind: evidence.kind,
      against: evidence.origin,
      proves,
      registry: registry && { id: registry.id, height: registry.height },
      logs: logKeys.map(formatVerifierKey),
    }
  } catch (cause) {
    const rule = cause instanceof AmpereError ? RULES[cause.code] : undefined
    if (rule === undefined) throw cause
    throw brokenRule(rule, (cause as AmpereError).message, cause)
  }
}

async function trustedBy(evidence: Evidence, pins: EvidencePins): Promise<Trusted> {
  const verifiers = createVerifiers()
  const registry = 'registry' in evidence ? await openRegistry(evidence.registry, pins, verifiers) : null
  const name = registry ? logOriginOf(evidence.origin) : evidence.origin
  return { verifiers, registry, logKeys: 'log' in evidence ? openLogKeys(evidence.log, name, pins) : [] }
}

function judge(evidence: Evidence, trusted: Trusted): Promise<string> {
  switch (evidence.kind) {
    case 'heads':
      return judgeHeads(evidence, trusted)
    case 'checkpoints':
      return judgeCheckpoints(evidence, trusted)
    case 'blocks':
      return judgeBlocks(evidence, trusted)
    case 'labels':
      return judgeLabels(evidence, trusted)
    case 'order':
      return judgeOrder(evidence, trusted)
    case 'leaf-form':
      return judgeLeafForm(evidence, trusted)
    case 'promise':
      return judgePromise(evidence, trusted)
  }
}
