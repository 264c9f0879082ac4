// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { replaceFile } from '#adapters/local/store/durable-file.ts'
import { parseCertificate, type Certificate } from '#core/client/enrol/certificate.ts'
import { AmpereError } from '#core/errors.ts'

/** The certificate of the app instance that acts on this machine; nothing in it is secret. */
export function certificateFile(institutionFolder: string): string {
  return join(institutionFolder, 'certificate.json')
}

/** @throws AmpereError STORE_CORRUPT, RECORD_MALFORMED; null where there is none */
export function readCertificate(institutionFolder: string): Certificate | null {
  const file = certificateFile(institutionFolder)
  if (!existsSync(file)) return null
  let content: unknown
  try {
    content = JSON.parse(readFileSync(file, 'utf8'))
  } catch (cause) {
    throw new AmpereError('STORE_CORRUPT', `${file} is damaged`, { cause })
  }
  return parseCertificate(content)
}

export function writeCertificate(institutionFolder: string, certificate: Certificate): void {
  replaceFile(certificateFile(institutionFolder), `${JSON.stringify(certificate, null, 1)}\n`)
}
