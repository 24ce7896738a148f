import type { Words } from './words'

export const words: Words = {
  placeholder: 'Écrire un message…', send: 'Envoyer', attach: 'Joindre un fichier', emoji: 'Émoji', close: 'Fermer le chat',
  sending: 'Envoi…', sent: 'Envoyé', failed: 'Non envoyé', delivered: 'Distribué', read: 'Lu',
  offline: 'Pas de connexion. Ce que vous écrivez est conservé et envoyé plus tard.',
  typing: '{who} écrit…', somebody: 'Quelqu’un',
  login: 'Connectez-vous sur ce site pour discuter.',
  email: 'Si nous nous manquons, où pouvons-nous répondre ?', emailLabel: 'Adresse e-mail', emailSend: 'Laisser l’adresse', emailThanks: 'Merci. Notre équipe voit l’adresse.',
  prove: 'Confirmez qu’elle est à vous et nous vous reconnaîtrons partout.', proveMail: 'Confirmez-la et la réponse y arrivera quand vous serez parti.', proveSend: 'Envoyer un code', proven: 'Merci. L’adresse est confirmée.',
  codeSent: 'Nous avons envoyé un code à {to}. Il est valable 10 minutes.', codeLabel: 'Code', codeSend: 'Confirmer',
  codeWrong: 'Ce n’est pas le code. Essais restants : {n}.', codeOver: 'Cela n’a pas fonctionné.', codeRate: 'Trop de codes pour l’instant. Réessayez plus tard.', codeBad: 'Aucun code ne peut être envoyé à cette adresse.', codeStop: 'Un numéro qui nous a envoyé STOP ne reçoit aucun code avant d’envoyer START.',
  codeLater: 'Aucun code ne peut être envoyé pour l’instant. Réessayez plus tard.', greeting: 'Bonjour ! Comment pouvons-nous aider ?',
  tooBig: 'Un fichier peut peser 10 Mo au plus.', badFile: 'Ce fichier n’a pas pu être envoyé.', tooLong: 'Un message peut avoir 10 000 caractères au plus.',
  drop: 'Déposez des fichiers pour les envoyer', you: 'Vous', messages: 'Messages', unavailable: 'Le fichier n’existe plus.',
  form: 'Avant de commencer', name: 'Nom', phone: 'Numéro de téléphone, commençant par +', question: 'Comment pouvons-nous aider ?', optional: '(facultatif)', start: 'Commencer le chat',
  missing: 'Veuillez remplir ce champ.', wrong: 'Cela ne semble pas correct.', longest: '{n} caractères au plus.', agree: 'Veuillez accepter pour continuer.',
  closed: 'Nous ne sommes pas là en ce moment. Écrivez quand même : rien ne se perd.', back: 'Nous serons de retour {when}.',
  mail: 'M’envoyer ce chat par e-mail', mailWhere: 'Où pouvons-nous envoyer ce chat ?', mailSent: 'Ce chat est en route vers {to}.', mailRate: 'Envoyé assez souvent pour l’instant.', mailNot: 'Ce chat ne peut pas y être envoyé.', mailEmpty: 'Rien n’a encore été dit.',
  sms: 'Répondez-moi par SMS', smsWhere: 'À quel numéro de mobile pouvons-nous répondre quand vous serez parti ?', smsLabel: 'Numéro de mobile', smsBad: 'Nous ne pouvons pas écrire à ce numéro. Un numéro de mobile avec l’indicatif du pays a au plus {n} chiffres, par exemple {like}.', smsProven: 'Merci. Quand vous serez parti, les réponses arriveront par SMS au {to}.', smsOn: 'Quand vous serez parti, les réponses arriveront par SMS au {to}. Un autre numéro ?',
}
