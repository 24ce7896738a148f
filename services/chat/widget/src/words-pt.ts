import type { Words } from './words'

export const words: Words = {
  placeholder: 'Escreva uma mensagem…', send: 'Enviar', attach: 'Anexar um ficheiro', emoji: 'Emoji', close: 'Fechar o chat',
  sending: 'A enviar…', sent: 'Enviada', failed: 'Não enviada', delivered: 'Entregue', read: 'Lida',
  offline: 'Sem ligação. O que escrever fica guardado e é enviado depois.',
  typing: '{who} está a escrever…', somebody: 'Alguém',
  login: 'Inicie sessão neste site para conversar.',
  email: 'Se nos desencontrarmos, onde podemos responder?', emailLabel: 'Endereço de e-mail', emailSend: 'Deixar o endereço', emailThanks: 'Obrigado. A nossa equipa vê o endereço.',
  prove: 'Mostre que é seu e reconhecemo-lo em todo o lado.', proveMail: 'Confirme-o e a resposta chega lá quando já não estiver aqui.', proveSend: 'Enviar um código', proven: 'Obrigado. O endereço está confirmado.',
  codeSent: 'Enviámos um código para {to}. É válido por 10 minutos.', codeLabel: 'Código', codeSend: 'Confirmar',
  codeWrong: 'Esse não é o código. Tentativas restantes: {n}.', codeOver: 'Não funcionou.', codeRate: 'Demasiados códigos por agora. Tente mais tarde.', codeBad: 'Não é possível enviar um código para este endereço.', codeStop: 'Um número que nos enviou STOP não recebe nenhum código até enviar START.',
  codeLater: 'De momento não é possível enviar um código. Tente mais tarde.', greeting: 'Olá! Como podemos ajudar?',
  tooBig: 'Um ficheiro pode ter no máximo 10 MB.', badFile: 'Não foi possível enviar este ficheiro.', tooLong: 'Uma mensagem pode ter no máximo 10.000 caracteres.',
  drop: 'Largue ficheiros para os enviar', you: 'Você', messages: 'Mensagens', unavailable: 'O ficheiro já não existe.',
  form: 'Antes de começarmos', name: 'Nome', phone: 'Telefone, a começar por +', question: 'Como podemos ajudar?', optional: '(opcional)', start: 'Começar o chat',
  missing: 'Preencha este campo.', wrong: 'Isto não parece correto.', longest: 'No máximo {n} caracteres.', agree: 'Aceite para continuar.',
  closed: 'Neste momento não estamos. Escreva na mesma: nada se perde.', back: 'Voltamos {when}.',
  mail: 'Enviar-me este chat por e-mail', mailWhere: 'Para onde podemos enviar este chat?', mailSent: 'Este chat está a caminho de {to}.', mailRate: 'Já foi enviado vezes suficientes por agora.', mailNot: 'Este chat não pode ser enviado para aí.', mailEmpty: 'Ainda nada foi dito.',
  sms: 'Responder-me por SMS', smsWhere: 'Para que telemóvel podemos responder quando já não estiver aqui?', smsLabel: 'Número de telemóvel', smsBad: 'Não podemos escrever para esse número. Um telemóvel com o indicativo do país tem no máximo {n} algarismos, por exemplo {like}.', smsProven: 'Obrigado. Quando já não estiver aqui, as respostas chegam por SMS a {to}.', smsOn: 'Quando já não estiver aqui, as respostas chegam por SMS a {to}. Outro número?',
}
