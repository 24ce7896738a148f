import type { Words } from './words'

export const words: Words = {
  placeholder: 'Escribe un mensaje…', send: 'Enviar', attach: 'Adjuntar un archivo', emoji: 'Emoji', close: 'Cerrar el chat',
  sending: 'Enviando…', sent: 'Enviado', failed: 'No enviado', delivered: 'Entregado', read: 'Leído',
  offline: 'Sin conexión. Lo que escribas se guarda y se envía después.',
  typing: '{who} está escribiendo…', somebody: 'Alguien',
  login: 'Inicia sesión en este sitio para chatear.',
  email: 'Si no coincidimos, ¿dónde podemos responder?', emailLabel: 'Correo electrónico', emailSend: 'Dejar la dirección', emailThanks: 'Gracias. Nuestro equipo ve la dirección.',
  prove: 'Demuestra que es tuya y te reconoceremos en todas partes.', proveMail: 'Confírmala y la respuesta llegará allí cuando te hayas ido.', proveSend: 'Enviarme un código', proven: 'Gracias. La dirección está confirmada.',
  codeSent: 'Hemos enviado un código a {to}. Vale 10 minutos.', codeLabel: 'Código', codeSend: 'Confirmar',
  codeWrong: 'Ese no es el código. Intentos restantes: {n}.', codeOver: 'No ha funcionado.', codeRate: 'Demasiados códigos por ahora. Inténtalo más tarde.', codeBad: 'No se puede enviar un código a esta dirección.', codeStop: 'Un número que nos envió STOP no recibe ningún código hasta que envíe START.',
  codeLater: 'Ahora no se puede enviar un código. Inténtalo más tarde.', greeting: '¡Hola! ¿Cómo podemos ayudar?',
  tooBig: 'Un archivo puede tener como máximo 10 MB.', badFile: 'No se pudo enviar este archivo.', tooLong: 'Un mensaje puede tener como máximo 10.000 caracteres.',
  drop: 'Suelta archivos para enviarlos', you: 'Tú', messages: 'Mensajes', unavailable: 'El archivo ya no está.',
  form: 'Antes de empezar', name: 'Nombre', phone: 'Teléfono, empezando por +', question: '¿Cómo podemos ayudar?', optional: '(opcional)', start: 'Empezar el chat',
  missing: 'Rellena este campo.', wrong: 'Esto no parece correcto.', longest: '{n} caracteres como máximo.', agree: 'Acepta para continuar.',
  closed: 'Ahora no estamos. Escribe igualmente: nada se pierde.', back: 'Volvemos {when}.',
  mail: 'Enviarme este chat por correo', mailWhere: '¿Dónde podemos enviar este chat?', mailSent: 'Este chat va de camino a {to}.', mailRate: 'Ya se ha enviado bastante por ahora.', mailNot: 'Este chat no se puede enviar allí.', mailEmpty: 'Aún no se ha dicho nada.',
  sms: 'Responderme por SMS', smsWhere: '¿A qué móvil podemos responder cuando te hayas ido?', smsLabel: 'Número de móvil', smsBad: 'No podemos escribir a ese número. Un móvil con el prefijo del país tiene como máximo {n} cifras, por ejemplo {like}.', smsProven: 'Gracias. Cuando te hayas ido, las respuestas llegarán por SMS a {to}.', smsOn: 'Cuando te hayas ido, las respuestas llegarán por SMS a {to}. ¿Otro número?',
}
