// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path'
import * as v from 'valibot'
import { replaceFile } from '#adapters/local/store/durable-file.ts'
import { parseCertificate, type Certificate } from '#core/client/enrol/certificate.ts'
import { readAs } from '../deployment/json-file.ts'

/** The certificate of the app instance that acts on this machine; nothing in it is secret. */
export function certificateFile(institutionFolder: string): string {
  return join(institutionFolder, 'certificate.json')
}

/** @throws AmpereError STORE_CORRUPT, RECORD_MALFORMED; null where there is none */
export function readCertificate(institutionFolder: string): Certificate | null {
  const content = readAs(certificateFile(institutionFolder), v.looseObject({}))
  return content === null ? null : parseCertificate(content)
}

export function writeCertificate(institutionFolder: string, certificate: Certificate): void {
  replaceFile(certificateFile(institutionFolder), `${JSON.stringify(certificate, null, 1)}\n`)
}
