// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '#core/bytes/ids.ts'
import { MAX_EXPORT_BYTES } from '#core/client/export/failure.ts'
import { verifyExport } from '#core/client/export/verify-export.ts'
import { parsePolicy } from '#core/log/policy/policy.ts'
import { failedWith, pageFailed, type Outcome } from './outcome.ts'

interface Request {
  readonly file: Blob
  readonly registry: Digest | null
  /** Text of a policy that was read before; null judges no receipt. */
  readonly policy: string | null
}

/** What whoever checks trusts, beside the file. */
export type Trusted = Pick<Request, 'registry' | 'policy'>

/** A check that runs. */
export interface RunningCheck {
  /** Never rejects: whatever goes wrong is an outcome. */
  readonly outcome: Promise<Outcome>
  /** Ends it at once; `outcome` then stays open for ever. */
  stop(): void
}

/**
 * Checks a file in a worker, so that the page stays usable however long it takes. `source` is the text of
 * this very script, which the worker runs again: a page of one file has no second script to load.
 */
export function checkFile(source: string, file: Blob, trusted: Trusted): RunningCheck {
  const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }))
  const worker = new Worker(url)
  const outcome = new Promise<Outcome>((resolve) => {
    worker.addEventListener('message', ({ data }: MessageEvent<Outcome>) => resolve(data))
    worker.addEventListener('error', (event) => resolve(failedWith(new Error(event.message))))
  })
  const stop = () => {
    worker.terminate()
    URL.revokeObjectURL(url)
  }
  void outcome.then(stop)
  worker.postMessage({ file, ...trusted } satisfies Request)
  return { outcome, stop }
}

/** What this module needs of the worker that it runs in. */
interface Scope {
  addEventListener(type: 'message', listener: (event: MessageEvent<Request>) => void): void
  postMessage(outcome: Outcome): void
}

/** The worker's side: one request, one outcome. */
export function answerRequests(scope: Scope): void {
  scope.addEventListener('message', ({ data }) => {
    void outcomeOf(data).then((outcome) => scope.postMessage(outcome))
  })
}

async function outcomeOf({ file, registry, policy }: Request): Promise<Outcome> {
  // Without a protected connection a browser withholds WebCrypto, and every key would look malformed.
  if (!isSecureContext) return pageFailed('INSECURE', 'no WebCrypto on this connection')
  if (file.size > MAX_EXPORT_BYTES) {
    return pageFailed('FILE_TOO_LARGE', `the file is larger than ${MAX_EXPORT_BYTES} bytes`)
  }
  const bytes = await bytesOf(file)
  if (!bytes) return pageFailed('UNREADABLE', 'the browser does not give its bytes')
  try {
    const trusted = {
      ...(registry ? { registry } : {}),
      ...(policy === null ? {} : { policy: parsePolicy(policy) }),
    }
    return { report: await verifyExport(bytes, { ...trusted, nowMs: Date.now() }), failure: null }
  } catch (error) {
    return failedWith(error)
  }
}

/** Null when the file was moved, changed or locked after it was chosen, or is a folder. */
async function bytesOf(file: Blob): Promise<Uint8Array | null> {
  try {
    return new Uint8Array(await file.arrayBuffer())
  } catch {
    return null
  }
}
