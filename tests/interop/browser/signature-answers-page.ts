// SPDX-License-Identifier: Apache-2.0
import { signatureAnswers } from './signature-answers.ts'

Object.assign(globalThis, { signatureAnswers })
