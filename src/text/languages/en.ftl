# English: the language of last resort. Every text of the service stands here.
# One file a language; attributes of a problem: .title (short), .detail (one sentence), .help (a paragraph).


# Problems
# One a code of http/error_code.rs: `problem-<code>` with .title, .detail and .help; `.detail-<reason>` stands in the place of
# .detail where the problem has that reason.

problem-malformed-request =
    .title = The request could not be read
    .detail = The request is not in the form that this service expects. If errors are listed, they say where.
    .detail-no-body = A JSON body is needed here, and the request has none.
    .help = The app or page you used sent something this service could not read. Nothing was changed. Please try again; if it keeps happening, tell the people who run the app. For developers: bodies are JSON objects in UTF-8 without null values, repeated members or cut-off characters.
problem-unsupported-field =
    .title = Something in the request is not known here
    .detail = The request has a member or parameter that this operation does not know.
    .help = The app or page you used sent more than this service understands, and it refuses to guess. Nothing was changed. For developers: the errors name the member or parameter; compare it with the API document.
problem-invalid-cursor =
    .title = The list cannot go on from here
    .detail = The cursor is not one that this list gave out. Start again without it.
    .help = A long list is shown in parts, and the mark for the next part was damaged or belongs to another list. Open the list again from its beginning.
problem-invalid-credentials =
    .title = Could not sign in
    .detail = The identifier or the password is not right. Check both and try again.
    .help = The e-mail address or phone number, or the password, is not right. For your safety we do not say which. Check that caps lock is off, that nothing was filled in by mistake, and that you use the address you signed up with.
problem-access-token-missing =
    .title = Please sign in first
    .detail = This needs an access token, and the request has none.
    .help = What you tried is only for people who are signed in. Sign in and try again. For developers: send the access token in the Authorization header, after the word Bearer.
problem-access-token-invalid =
    .title = Please sign in again
    .detail = The access token is not valid here.
    .help = The proof that you are signed in was not accepted. Sign in again. For developers: the token is damaged, was not issued by this service, or was made for another one.
problem-access-token-expired =
    .title = The access token has expired
    .detail = The access token is too old. Refresh it, or sign in again.
    .help = Proofs of being signed in live for a few minutes only and are renewed without your noticing. This one was not renewed in time. Reload the page or open the app again; if that does not help, sign in again.
problem-session-expired =
    .title = You have been signed out
    .detail = The session has ended because of its age or because it was not used for a long time. Please sign in again.
    .help = Sign-ins end by themselves after a while, so that a forgotten device does not stay open for ever. Sign in again to go on.
problem-session-revoked =
    .title = You have been signed out
    .detail = The session was ended. Please sign in again.
    .help = This sign-in was ended: by you on another device, by a change of your password, or to protect your account. Sign in again. If you did not expect this, change your password and look through the list of your devices.
problem-refresh-token-invalid =
    .title = Please sign in again
    .detail = The refresh token is not valid. Please sign in again.
    .help = The app could not renew your sign-in. Sign in again to go on.
problem-refresh-token-reused =
    .title = You have been signed out to protect your account
    .detail = A refresh token was used a second time, so the session was ended. Please sign in again.
    .help = The key that keeps you signed in was used twice, which can mean that someone copied it. To be safe we ended that sign-in. Sign in again; if it happens once more, change your password and check your devices.
problem-insufficient-user-authentication =
    .title = Please confirm that it is you
    .detail = This needs a recent sign-in. Confirm your password and second factor, then try again.
    .help = Before important changes we ask you to show once more that it is really you, even though you are signed in. Give your password and your second factor again; the change can be made for the next ten minutes.
problem-account-closed =
    .title = This account is closed
    .detail = The account is closed, or will be soon. Until its time has come its owner can sign in to keep it.
    .help = This account was closed. For thirty days after that you can still sign in, for three things only: to keep the account after all, to take a copy of what is held about you, and to sign out. The message that told you of the closing says until when. After that the account is deleted and cannot be brought back.
problem-account-suspended =
    .title = This account is suspended
    .detail = The account has been suspended. Please contact support.
    .help = The people who run this service have suspended this account. Nothing in it was deleted. Please contact them to learn why and what to do.
problem-forbidden =
    .title = This is not allowed
    .detail = You are signed in, but this is not open to you.
    .help = You are signed in, but your account may not do this. If you think that it should, ask the people who run the service.
problem-origin-not-allowed =
    .title = This page may not do that
    .detail = The request did not come from a page that may use this service with cookies.
    .help = A sign-in kept in a cookie can only be used by the service's own pages. Open the service from its usual address. For developers: the Origin header must be exactly one of the client's listed origins.
problem-not-found =
    .title = There is nothing here
    .detail = This address does not exist, or what it stood for is gone.
    .detail-not-closing = The account is not closing, so there is nothing to take back.
    .help = The address is mistyped, out of date, or belongs to something that has been deleted. Go back and try from the start page.
problem-method-not-allowed =
    .title = This cannot be done here
    .detail = The address exists, but not for this method. The Allow header names those it knows.
    .help = The app or page you used asked for something this address does not do. For developers: look the operation up in the API document; the Allow header lists the methods of this path.
problem-not-acceptable =
    .title = This form of answer is not offered
    .detail = The Accept header rules out every form in which this could be answered.
    .help = This service answers in JSON, and here and there as a web page. For developers: let the Accept header allow application/json.
problem-body-too-large =
    .title = The request is too large
    .detail = The body of the request is larger than this operation accepts.
    .help = More text was sent than this service accepts at once. Shorten what you typed and try again.
problem-unsupported-media-type =
    .title = The request is not JSON
    .detail = The body must be sent as application/json, uncompressed.
    .help = The app or page you used sent its data in a form that this service does not read. For developers: set Content-Type to application/json and do not compress the body.
problem-wrong-step =
    .title = Another step comes first
    .detail = This is at another step. A sign-in says in "next" which one it is, a recovery in "state".
    .help = Signing in, and getting back into an account, go step by step, and this step is not the one that comes next. If you are signing in and cannot see what is missing, start again. If you are getting back into your account, look at where it stands: it may have to wait for its time, or for the people who run the service; you need not start again.
problem-last-second-factor =
    .title = This is your last second factor
    .detail = An account keeps one second factor. Add another one first, then remove this one.
    .help = Every sign-in needs a second factor, so the last one cannot be removed. Add the new one first. Recovery codes do not count: they are for the day on which the others are lost.
problem-last-identifier =
    .title = This is your last address or number
    .detail = An account keeps one address or number to sign in with. Add another one first, then remove this one.
    .help = Without an address or number nobody could sign in to the account, or be told what happens to it. Add the new one first and confirm it with the code that is sent there; then remove the old one. One that is about to leave does not count.
problem-already-verified =
    .title = This is confirmed already
    .detail = This address or number belongs to your account already. There is nothing left to do.
    .detail-leaving = This address or number belongs to your account, but is about to leave it. To keep it, use the token of the message that told of it.
    .help = You wanted to add or confirm an address or number that your account has already. Load the page again to see all of them.
problem-factor-carried-reset =
    .title = This phone cannot answer now
    .detail = The password was reset by a message to this phone. Use another second factor or a recovery code.
    .help = One phone is one proof. It has just brought you the new password, so it cannot be the second factor as well: otherwise somebody who takes your number over could open your account alone. Use an authenticator app, a passkey, another phone or one of your recovery codes. Once one of them has let you in, this phone answers again. If you have none of them, use the way back for a lost second factor.
problem-limit-reached =
    .title = There are too many of these already
    .detail = No more can be added. Remove one first.
    .help = There is an upper limit to how many of these one account can have. Remove one that you no longer need, then add the new one.
problem-merge-conflict =
    .title = These accounts cannot become one
    .detail = The two accounts do not go together. The errors say why; mend that in one of them, then try again.
    .help = Two accounts of one person can become one if they go together. They do not when the same phone is a second factor of both (remove it from one), when they would have too many addresses or second factors together, when a change of one of them still waits, or when the other account belongs to somebody who runs the service.
problem-conflict =
    .title = This does not fit the present state
    .detail = Something else has changed in the meantime, or this cannot be done now. If errors are listed, they say why.
    .detail-leaving = This address or number is about to leave your account. To keep it, use the token of the message that told of it.
    .detail-recovery-codes = Recovery codes cannot be named or removed. Make new ones instead: the old ones are void then.
    .help = What you tried does not go together with how things stand now. Load the page again to see the present state, then decide whether you still want it.
problem-sign-in-expired =
    .title = This sign-in has ended
    .detail = The sign-in has expired or was finished already. Please start again.
    .help = For your safety a sign-in must be finished within a few minutes and only once. Start again from the sign-in page.
problem-reauthentication-expired =
    .title = This confirmation has ended
    .detail = The confirmation has expired, was replaced or was finished already. Please ask for another code.
    .help = When you confirm who you are with a code that was sent to your phone, the code counts for ten minutes, for the newest request and on the device that asked for it.
problem-sign-up-expired =
    .title = This sign-up has ended
    .detail = The sign-up has expired or was finished already. Please start again, or sign in.
    .help = A sign-up waits one day for its code, and each code is good for ten minutes. It has expired, or the account exists already. Try to sign in; if that does not work, sign up again.
problem-recovery-token-invalid =
    .title = This recovery has ended
    .detail = The recovery has expired, was cancelled or was finished already. Please start again.
    .help = Getting back into an account takes some days and can be done once. It has taken too long, or was stopped by a message to the account's addresses, by a sign-in, or by the people who run the service. If you still cannot sign in, start again. If you have lost only the link or token, ask for another one with the address that you gave as your contact.
problem-cancel-token-invalid =
    .title = This cannot be cancelled any more
    .detail = The change was cancelled already, has taken effect, or was never announced with this token.
    .detail-recovery = This token has nothing left to stop, or was not copied in full. Sign in with a second factor that you have had for three days, which stops every attempt; if you cannot, reset your password.
    .help = The token of a message cancels one change, once, and only before the change takes effect. If something has changed that you did not want, reset your password and tell the people who run the service.
problem-reset-token-invalid =
    .title = This way to a new password has ended
    .detail = The link or request has expired, was used already or was replaced by a newer one. Please ask again.
    .help = A message with which you set a new password counts for ten minutes and once, and a newer one replaces it. Ask for another message and use that one. If your password was changed in the meantime, try to sign in with the new one.
problem-claim-token-invalid =
    .title = This claim has ended
    .detail = The claim has expired or was finished already. Please start again.
    .help = When you claim a number that somebody else had before you, the code that is sent to it counts for ten minutes and once. Start again to get another code.
problem-device-token-invalid =
    .title = This token is not valid
    .detail = The token was used already, has expired, or was never sent. Please ask for another one.
    .help = The token of a message works once and for ten minutes. Ask for another message, and use the newest one.
problem-invalid-code =
    .title = What was given is not right
    .detail = What was given is wrong, too old or was used already. Check it and try again.
    .help = Use the code from the newest message: a new code makes older ones useless. In an authenticator app, take the code that is shown now, and check that the clock of your device is right. Each code works once. If you gave a password to show that an account is yours, it is not the password that the account has now.
problem-invalid-credential =
    .title = The passkey was not accepted
    .detail = The passkey does not belong here, was too slow, or was used already. Please try again.
    .help = Use a passkey that you have made on this site, and confirm it with your finger, your face or the code of your device within a few minutes. If it is refused again and again, sign in another way, remove the passkey from your account, and make a new one. A passkey that was added in the three days before the password was reset, the account recovered or a change stopped works only after the password from then on.
problem-invalid-fields =
    .title = Please check what you entered
    .detail = Some of what was sent cannot be accepted. The errors say what and why.
    .detail-lost = You said that this is lost, so it proves nothing. Prove something else.
    .help = One or more fields are empty or hold something that cannot be used. Correct what is marked and send it again.
problem-rate-limited =
    .title = Please wait a moment
    .detail = This was asked for too often or too soon. Please wait as long as it says.
    .help = To protect everyone's accounts there is a limit to how often this can be done. Wait for the time that is shown, then try again. Trying more often does not make it quicker.
problem-too-many-attempts =
    .title = Too many attempts
    .detail = There were too many wrong attempts. Ask for a new code, or start again.
    .help = After several wrong attempts we stop, so that nobody can guess their way in. A code that was sent to you: ask for a new one. A code of an app, or a recovery code: sign in again from the beginning. Your account is not lost.
problem-message-limit-reached =
    .title = Too many messages
    .detail = No more messages are sent for now. Look for the newest one, also in the spam folder. If a time is given, ask again after it; if not, start again.
    .help = We send only a few messages in one attempt and to one address or number, so that nobody can flood a mailbox. Look for the newest message, also in the spam folder. If you were told how long to wait, wait and ask again: starting again does not help before that. If you were told no time, start again.
problem-internal-error =
    .title = Something went wrong on our side
    .detail = This is our mistake, not yours. Please try again; if it keeps happening, tell us the request id.
    .help = Something failed inside the service. You did nothing wrong. Try again in a few minutes. If it keeps happening, send the people who run the service the request id that was shown with the problem.
problem-overloaded =
    .title = The service is very busy
    .detail = The service has more to do than it can manage. Please try again shortly.
    .help = Many people are signing in just now. Wait a few seconds and try again. This attempt was not counted against you.
problem-channel-unavailable =
    .title = This way of sending codes does not work at the moment
    .detail = No message can be sent this way just now. Choose another way, or try again shortly.
    .help = The company that carries these messages for us has a problem. If another way is offered, such as a call instead of an SMS, choose that; an authenticator app, a passkey or a recovery code works as always. Otherwise wait a minute and try again. Nothing is wrong with your account.
problem-dependency-unavailable =
    .title = The service is not available for a moment
    .detail = A part that this service relies on does not answer. Please try again shortly.
    .help = A part of the service is not reachable just now. Nothing is lost. Wait a few seconds and try again.

# What is wrong with one field: `field-<code>`.

field-malformed = This is not well-formed.
field-wrong-type = This is not of the expected JSON type.
field-null-not-allowed = null is not accepted; leave it out instead.
field-duplicate = This is given more than once.
field-too-deep = This is nested too deeply.
field-unsupported = This is not known here.
field-required = This is needed.
field-unknown-value = This is not one of the values to choose from.
field-unknown-id = There is nothing with this id here, or it does not fit the method.
field-unknown-client = This client is not known.
field-out-of-range = This number is too small or too large.
field-too-long = This is too long.
field-invalid-format = This is not in the expected form.
field-invalid-characters = This contains invisible or control characters. Type it again instead of pasting it.
field-not-supported = This is not available here, or does not belong to the method.
field-invalid-email = This is not a complete e-mail address. Check it for typing mistakes. If you used a user name before, use your e-mail address or phone number.
field-invalid-phone = This is not a phone number, or not one that can exist. Check the digits.
field-country-code-required = Begin the phone number with + and its country code, such as +81.
field-phone-not-supported = Phone numbers of this country or kind cannot be used here.
field-wrong-password = This password is not right.
field-password-too-short = Use at least 8 characters. Several words together are easy to remember.
field-password-too-long = Use at most 128 characters.
field-password-too-common = Many people use this password, so it is easy to guess. Choose another one.
field-password-breached = This password has appeared in a data leak. Choose another one.
field-password-contains-context = Do not use your address, your name or the name of this service in the password.
field-password-unchanged = This is the password that you have now. Choose another one.
field-token-invalid = This token is not valid, or its owner signed in more than ten minutes ago.
field-phone-is-factor = This number is a second factor of your account already.
field-same-account = This is the same account.
field-same-phone = One phone is a second factor of both accounts.
field-too-many-identifiers = Together the accounts have too many addresses and numbers.
field-too-many-factors = Together the accounts have too many second factors.
field-change-waiting = A change of one of the accounts waits for its time.
field-has-roles = The other account has roles of an operator.
field-unsupported-locale = This language is not offered.
field-unknown-time-zone = This is not a known time zone, such as Asia/Tokyo.

# Hints: `hint-<code>`.

hint-caps-lock = Caps lock may be on.
hint-num-lock = If your password has digits, num lock may be off.
hint-full-width-input = Some characters were typed in full width. Switch your keyboard to half-width letters.
hint-country-code = If you signed up with a phone number, include its country code.
hint-saved-password = Your browser may have filled in an old password. Type it by hand.
hint-migrated-account = After your first sign-in your old user name no longer works. Use your e-mail address or phone number.
hint-other-account = You may have signed up with another address or number.

# Pages: problems in a browser and the help centre.

page-name = Sign-in help
page-retry-after = You can try again in { $seconds } seconds.
page-attempts-left = Attempts left: { $count }
page-code = Code: { $code } · HTTP status: { $status }
page-more = What this means and what you can do
page-request = Code: { $code } · Request: { $id }

# Messages
# `.subject` and `.body` of a mail, plain text; `.sms` has at most 70 characters with all that is filled in. Every text knows $service (the name of the service), $at (when it
# happened) and $minutes (how long a code is valid); other values stand at their text.
# The two texts with $code go to addresses that nobody has proved yet: they show service, code and minutes only.

message-greeting = Hello { $name },
message-greeting-unnamed = Hello,
message-closing =
    { $service }
    This message was sent automatically. Nobody reads replies to it.
message-call-greeting = Hello. This is { $service }.
message-call-code = Your code is: { $digits }.
message-call-prompt = Press any key to hear your code.
message-call-expired = This code has expired. Please ask for a new one.
message-call-closing = Goodbye.
# The voice that reads a call (BCP 47).
message-call-voice = en-US
message-time = { $year }-{ $month }-{ $day } { $hour }:{ $minute } ({ $zone })

message-sign-up-code =
    .subject = Your sign-up code for { $service }
    .sms = { $service } code: { $code } ({ $minutes } min)
    .body =
        Your code is

            { $code }

        Enter it where you are signing up for { $service }. It is valid for { $minutes } minutes and works once.
        Nobody from { $service } will ever ask you for it.

        If you did not ask for a code, somebody probably mistyped their address. You need not do anything.
message-sign-up-notice =
    .subject = You already have an account with { $service }
    .sms = { $service }: this number has an account: sign in. Not yours? Claim it.
    .body =
        Somebody tried to sign up for { $service } with your address. That was on { $at }.

        The address belongs to your account, so no new account was made and nothing has changed.
        If it was you, sign in instead of signing up. If it was not you, you need not do anything.
message-identifier-code =
    .subject = Your confirmation code for { $service }
    .sms = { $service } code: { $code } ({ $minutes } min)
    .body =
        Your code is

            { $code }

        Enter it where you are signing in to { $service }. It is valid for { $minutes } minutes and works once.
        Nobody from { $service } will ever ask you for it.

        If you are not signing in, somebody may know your password. Tell the people who run { $service }.
message-factor-code =
    .subject = Your code for { $service }
    .sms = { $service } code: { $code } ({ $minutes } min)
    .body =
        Your code is

            { $code }

        It is valid for { $minutes } minutes and works once. Nobody from { $service } will ever ask you for it.

        If you are not signing in, somebody may know your password. Tell the people who run { $service }.
message-new-identifier-code =
    .subject = Your confirmation code for { $service }
    .sms = { $service } code: { $code } ({ $minutes } min)
    .body =
        Your code is

            { $code }

        Enter it where you are adding this address to your account. It is valid for { $minutes } minutes and works once.
        Nobody from { $service } will ever ask you for it.

        If you did not ask for a code, somebody probably mistyped their address. You need not do anything.
message-identifier-taken-notice =
    .subject = Somebody tried to add your address to another { $service } account
    .sms = { $service }: your number belongs to your account already.
    .body =
        Somebody who is signed in to another { $service } account tried to add your address to it. That was on { $at }.

        The address belongs to your account, so nothing has changed.
        If it was you, you have two accounts. You can keep both, and sign in to this one with this address. Or make them
        one: sign in to both, and ask in one of them to take the other one in. If it was not you, you need not do anything.
message-identifier-added-notice =
    # $identifier: a hint of the address or number
    .subject = An address or number was added to your { $service } account
    .sms = { $service }: an address or number was added to your account.
    .body =
        { $identifier } was added to your account on { $at }. It can be used to sign in from now on.

        If it was not you, reset your password at once and tell the people who run { $service }.
message-primary-identifier-notice =
    # $identifier: a hint of the address or number
    .subject = The main address or number of your { $service } account has changed
    .sms = { $service }: your account has another main address or number.
    .body =
        { $identifier } is the main address or number of your account since { $at }.

        If it was not you, reset your password at once and tell the people who run { $service }.
message-identifier-leaves-notice =
    # $token: what stops it
    .subject = This address will be removed from your { $service } account
    .sms = { $service }: stop it with { $token }
    .body =
        On { $at } this address was marked to leave your account: somebody who is signed in asked for it, or the account was
        recovered by somebody who said that the address is lost. It works for 72 hours more, and not after that.

        If it was you, you need not do anything. If it was not you, stop it with this token:

            { $token }

        Stopping it signs out every device, and the password must be reset then.
    .link =
        On { $at } this address was marked to leave your account: somebody who is signed in asked for it, or the account was
        recovered by somebody who said that the address is lost. It works for 72 hours more, and not after that.

        If it was you, you need not do anything. If it was not you, stop it on this page:

            { $link }

        Or give this token where you are asked for it:

            { $token }

        Opening the page changes nothing yet. Stopping it signs out every device, and the password must be reset then.
message-number-leaves-notice =
    .subject = This number will be removed from your { $service } account
    .sms = { $service }: this number leaves your account in 72 h. Stop it: next SMS.
    .body =
        On { $at } this number was marked to leave your account: somebody who is signed in asked for it, or the account was
        recovered by somebody who said that the number is lost. It works for 72 hours more, and not after that. Another
        message has a token that stops it.
message-identifier-removal-notice =
    # $identifier: a hint of the address or number
    .subject = An address or number will be removed from your { $service } account
    .sms = { $service }: an address or number will leave your account in 72 h.
    .body =
        On { $at } { $identifier } was marked to leave your account: somebody who is signed in asked for it, or the account
        was recovered by somebody who said that it is lost. It works for 72 hours more, and not after that. A message that
        can stop it was sent there, unless it had been added only lately.

        If it was not you, reset your password at once and tell the people who run { $service }.
message-identifier-removed-notice =
    # $identifier: a hint of the address or number
    .subject = An address or number was removed from your { $service } account
    .sms = { $service }: an address or number has left your account.
    .body =
        { $identifier } does not belong to your account any more since { $at }. It cannot be used to sign in.

        If you did not want that, tell the people who run { $service }.
message-change-cancelled-notice =
    .subject = An address or number stays in your { $service } account
    .sms = { $service }: a removal was stopped. Reset your password now.
    .body =
        An address or number was to leave your account. On { $at } that was stopped with the token that we had sent: it stays.

        Because somebody else may have begun it, every device was signed out, and your password opens nothing any more.
        Reset it to sign in again. Then look through the addresses, numbers and second factors of your account.
message-merge-cancelled-notice =
    .subject = Your { $service } account will not become one with another
    .sms = { $service }: your accounts stay apart. Reset your password now.
    .body =
        Your account was to become one with another. On { $at } that was stopped with the token that we had sent: the two stay apart.

        Because somebody else may have begun it, every device was signed out, and your password opens nothing any more.
        Reset it to sign in again. Then look through the addresses, numbers and second factors of your account.
message-changes-withdrawn-notice =
    .subject = Changes of your { $service } account were stopped
    .sms = { $service }: changes that waited in your account were stopped.
    .body =
        An address or number was to leave your account, or it was to become one with another. On { $at } that was stopped,
        because the account was proved to be yours anew and somebody else may have begun it.

        If it was you who began it, sign in and begin it again.
message-claim-stopped-notice =
    .subject = Your number stays with your { $service } account
    .sms = { $service }: the claim of this number was stopped.
    .body =
        The claim of a number of your account was stopped on { $at } with the token that we had sent. Nothing was changed.

        If you do not use the number any more, please remove it from your account.
message-claim-code =
    .subject = Your code for { $service }
    .sms = { $service } code: { $code } ({ $minutes } min)
    .body =
        Your code is

            { $code }

        It proves that this is yours now. It is valid for { $minutes } minutes and works once. Nobody from { $service }
        will ever ask you for it.

        If you did not ask for a code, you need not do anything.
message-claim-notice =
    # $identifier: a hint of the number
    .subject = Somebody else holds a number of your { $service } account
    .sms = { $service }: a number of yours is claimed by its new holder.
    .body =
        Somebody proved on { $at } that they hold the number { $identifier }, which belongs to your account. Carriers give
        numbers that were given up to other people. It leaves your account in 30 days.

        If the number is still yours, stop the claim with the token of the message that comes with this one.
message-claim-objection-notice =
    # $identifier: a hint of the number; $token: what stops the claim
    .subject = Somebody else holds a number of your { $service } account
    .sms = { $service }: stop it with { $token }
    .body =
        Somebody proved on { $at } that they hold the number { $identifier }, which belongs to your account. Carriers give
        numbers that were given up to other people. In 30 days it leaves your account: it does not sign in any more, and
        no codes go there.

        If you do not have the number any more, you need not do anything. If it is still yours, stop the claim with this
        token:

            { $token }
    .link =
        Somebody proved on { $at } that they hold the number { $identifier }, which belongs to your account. Carriers give
        numbers that were given up to other people. In 30 days it leaves your account: it does not sign in any more, and
        no codes go there.

        If you do not have the number any more, you need not do anything. If it is still yours, stop the claim on this page:

            { $link }

        Or give this token where you are asked for it:

            { $token }

        Opening the page changes nothing yet.
message-number-released-notice =
    .subject = This number is free for { $service }
    .sms = { $service }: this number is free now. You can sign up with it.
    .body =
        The number that you had claimed belongs to no account any more since { $at }. You can sign up with it.
message-no-account-notice =
    .subject = There is no { $service } account with this address
    .sms = { $service }: there is no account with this number.
    .body =
        Somebody asked on { $at } which addresses and numbers belong to the { $service } account with this address. There is
        no account with this address.

        If it was you, ask again with the other addresses and numbers that you use, or sign up. If it was not you, you
        need not do anything.
message-unproved-reminder =
    .subject = How you sign in to { $service }
    .sms = { $service }: sign in with your old password.
    .body =
        Somebody asked on { $at } which addresses and numbers belong to the { $service } account with this address. That
        account came from another system, and this address has not been confirmed here yet.

        If it was you, sign in with this address and the password that you had before. If you do not know that password
        any more, ask the people who run { $service }. If it was not you, you need not do anything.
message-identifier-reminder =
    # $identifiers: a hint of each
    .subject = How you sign in to { $service }
    .sms = { $service }: you sign in with { $identifiers }
    .body =
        Somebody asked on { $at } how you sign in to { $service }. Your account has:

            { $identifiers }

        Any of them will do. If it was not you who asked, you need not do anything: only you got this message.
message-refresh-reuse-notice =
    .subject = You were signed out of { $service } on one device
    .sms = { $service }: we ended one of your sessions. Please sign in again.
    .body =
        We ended one of your sessions on { $at }, because a key to it was used that had already been replaced.
        Somebody may have copied it. Less often, an app went back to an older copy of its data.

        Please sign in again on that device.
        If you see anything that you did not do, end your other sessions and tell the people who run { $service }.
message-recovery-code-used-notice =
    # $left: how many codes remain
    .subject = A recovery code for { $service } was used
    .sms = { $service }: a recovery code was used. Codes left: { $left }
    .body =
        A recovery code of your account was used on { $at }: to sign in, or to prove that the account is yours when somebody
        wants to get back into it. Recovery codes left: { $left }.

        If it was not you, sign in; with a second factor that you have had for a while, that also ends every attempt to get in
        without the usual way. Then end your other sessions, change your password, make new recovery codes, and tell the
        people who run { $service }.
message-recovery-codes-replaced-notice =
    .subject = Your recovery codes for { $service } were replaced
    .sms = { $service }: your recovery codes were replaced.
    .body =
        New recovery codes were made for your account on { $at }. The old ones no longer work.

        If it was not you, end your other sessions at once, make new recovery codes, and tell the people who run { $service }.
message-factor-enrolled-notice =
    # $label: the name of the factor
    .subject = A second factor was added to your { $service } account
    .sms = { $service }: a second factor was added to your account.
    .body =
        A second factor was added to your account on { $at }: { $label }. It can confirm your sign-ins from now on.

        If it was not you, tell the people who run { $service } at once.
message-factor-removed-notice =
    # $label: the name of the factor
    .subject = A second factor was removed from your { $service } account
    .sms = { $service }: a second factor was removed from your account.
    .body =
        A second factor was removed from your account on { $at }: { $label }. It does not confirm sign-ins any more.

        If it was not you, end your other sessions at once and tell the people who run { $service }.
message-closure-notice =
    # $closes_at: when the account is gone
    .subject = Your { $service } account will be deleted
    .sms = { $service }: your account will be deleted. Sign in to keep it.
    .body =
        You asked on { $at } for your account to be closed. On { $closes_at } it will be deleted, with everything in it.
        Until then you can sign in to keep it, or to take a copy of what is held about you. Nothing else is open.

        If it was not you, somebody has your password and your second factor: sign in now, keep the account, change the
        password, and tell the people who run { $service }.
message-closure-reminder =
    # $closes_at: when the account is gone
    .subject = Your { $service } account will soon be deleted
    .sms = { $service }: your account is about to be deleted. Sign in to keep it.
    .body =
        Today, { $at }: your account is closing. On { $closes_at } it will be deleted, with everything in it, and nobody can bring it back.

        If you want to keep it, sign in before that.
message-closure-cancelled-notice =
    .subject = Your { $service } account stays
    .sms = { $service }: your account is not being deleted any more.
    .body =
        Your account was to be deleted. On { $at } this was taken back: it stays as it was.

        If it was not you, sign in, change your password, end your other sessions, and tell the people who run { $service }.
message-merge-in-notice =
    # $merges_at: when · $token: what stops it
    .subject = Another account will become part of your { $service } account
    .sms = { $service }: stop it with { $token }
    .body =
        Somebody who is signed in to your account asked on { $at } to take another account into it. On { $merges_at } you
        will sign in here with the addresses, numbers and second factors of both.

        If it was you, you need not do anything. If it was not you, stop it with this token:

            { $token }

        Stopping it signs out every device, and the password must be reset then.
    .link =
        Somebody who is signed in to your account asked on { $at } to take another account into it. On { $merges_at } you
        will sign in here with the addresses, numbers and second factors of both.

        If it was you, you need not do anything. If it was not you, stop it on this page:

            { $link }

        Or give this token where you are asked for it:

            { $token }

        Stopping it signs out every device, and the password must be reset then. Opening the
        page changes nothing yet.
message-merge-away-notice =
    # $merges_at: when · $token: what stops it
    .subject = Your { $service } account will become part of another one
    .sms = { $service }: stop it with { $token }
    .body =
        Somebody who is signed in to this account and to another one asked on { $at } to make them one. On { $merges_at } the
        addresses, numbers and second factors of this account go to the other one, whose password counts from then on.

        If it was you, you need not do anything. If it was not you, stop it with this token:

            { $token }

        Stopping it signs out every device, and the password must be reset then.
    .link =
        Somebody who is signed in to this account and to another one asked on { $at } to make them one. On { $merges_at } the
        addresses, numbers and second factors of this account go to the other one, whose password counts from then on.

        If it was you, you need not do anything. If it was not you, stop it on this page:

            { $link }

        Or give this token where you are asked for it:

            { $token }

        Stopping it signs out every device, and the password must be reset then. Opening the
        page changes nothing yet.
message-merge-begun-notice =
    # $merges_at: when
    .subject = Your { $service } account will become one with another
    .sms = { $service }: your account will become one with another.
    .body =
        Somebody who is signed in to your account and to another one asked on { $at } to make them one. On { $merges_at } the
        addresses, numbers and second factors of both will open one account. A message that can stop it was sent to the
        addresses and numbers that the accounts have had for longer than this one.

        If it was not you, reset your password at once and tell the people who run { $service }.
message-merged-notice =
    # $identifier: a hint of the main address or number of the account that was kept
    .subject = Your { $service } accounts are one now
    .sms = { $service }: your accounts are one now.
    .body =
        The account of { $identifier } took another one of yours in on { $at }: they are one now. Sign in with any of your
        addresses or numbers, and with the password of the account of { $identifier }. The password and the recovery codes of
        the other one do not work any more.

        If it was not you, tell the people who run { $service } at once.
message-merge-stopped-notice =
    .subject = Your { $service } accounts stay apart
    .sms = { $service }: your accounts were not made one.
    .body =
        Your account was to become one with another. On { $at } that was stopped, by its owner or because the two do not go
        together any more. Nothing was changed in this one.

# Advice on a password: `password-suggestion-<code>`

password-suggestion-longer-is-stronger = A longer password is stronger: fifteen characters or more are best.
password-suggestion-add-more-words = Add another word or two. Words that do not belong together are best.
password-suggestion-avoid-common-passwords = This is close to passwords that many people use.
password-suggestion-avoid-names = Names are easy to guess.
password-suggestion-avoid-keyboard-patterns = Rows of keys such as “qwerty” are easy to guess.
password-suggestion-avoid-repeats = Repeated words or characters add little.
password-suggestion-avoid-sequences = Sequences such as “abc” or “6543” are easy to guess.
password-suggestion-avoid-dates = Dates and years are easy to guess.
password-suggestion-no-need-for-symbols = Symbols, digits and capitals are not needed; more words do more.
password-suggestion-capitals-help-little = Capital letters add little.
password-suggestion-reversal-helps-little = A word spelled backwards is nearly as easy to guess.
password-suggestion-substitutions-help-little = Replacing letters, such as “@” for “a”, adds little.

# Development inbox

inbox-site = Sekisho development
inbox-title = Inbox
inbox-intro = Every mail, SMS and call that would have left this development server, the newest first.
inbox-reload = Reload
inbox-empty = Nothing has been sent yet.
message-failures-notice =
    # $count: how many failures in a row
    .subject = Somebody is trying to get into your { $service } account
    .sms = { $service }: { $count } wrong passwords or codes. Nobody got in.
    .body =
        Until { $at }, { $count } wrong passwords or codes in a row were given for your account. Nobody got in.

        If it was you, you need not do anything. If it was not you, your password alone opens nothing, but choose one
        that you use nowhere else. When too many tries have failed, sign in on a device that you have used before.
message-device-token =
    .subject = Signing in to { $service } while others guess at your account
    .sms = { $service }: { $code }
    .body =
        Give this token where you were asked for it:

            { $code }

        It is valid for { $minutes } minutes and works once. It lets this device try your password although too many
        tries by others have failed; it opens nothing else. Nobody from { $service } will ever ask you for it.

        If you did not ask for it, you need not do anything.
message-recovery-contact-code =
    .subject = Your code for getting back into { $service }
    .sms = { $service } code: { $code } ({ $minutes } min)
    .body =
        Your code is

            { $code }

        Enter it where you said that you cannot get into your { $service } account. It is valid for { $minutes } minutes and
        works once. Nobody from { $service } will ever ask you for it.

        If you did not ask for it, somebody probably mistyped their address. You need not do anything.
message-recovery-proof-code =
    .subject = Your code for getting back into { $service }
    .sms = { $service } code: { $code } ({ $minutes } min)
    .body =
        Somebody, probably you, wants to get back into a { $service } account without the usual way. Your code is

            { $code }

        It proves that the account is yours. It is valid for { $minutes } minutes and works once. Nobody from { $service } will
        ever ask you for it.

        If it was not you, give it to nobody, and use the token of the other message to stop it.
message-recovery-token =
    .subject = Going on with getting back into { $service }
    .sms = { $service }: go on with { $code }
    .body =
        Give this token where you were asked for it:

            { $code }

        It lets you go on with getting back into your { $service } account. It is good until you are back in it or the
        attempt is stopped, and for thirty days or little more after you had proved where you can be reached; another one
        replaces it. Nobody from { $service } will ever ask you for it.

        If you did not ask for it, you need not do anything.
message-recovery-notice =
    # $token: what stops it
    .subject = Somebody wants to get into your { $service } account
    .sms = { $service }: stop it with { $token }
    .body =
        Somebody says that they have lost the usual way into your { $service } account and wants to get in without it. If
        nothing is done, that can succeed: at the earliest three days after it began, and a day after they have proved enough.

        If it was you, you need not do anything. If it was not you, stop it: give this token where { $service } asks for it. Or
        sign in: with a second factor that you had for three days before all this began, that stops it as well.

            { $token }

        As of { $at } nothing has changed, and nobody got in.
    .link =
        Somebody says that they have lost the usual way into your { $service } account and wants to get in without it. If
        nothing is done, that can succeed: at the earliest three days after it began, and a day after they have proved enough.

        If it was you, you need not do anything. If it was not you, stop it on this page:

            { $link }

        Or give this token where { $service } asks for it:

            { $token }

        Or sign in: with a second factor that you had for three days before all this began, that stops it as well.

        As of { $at } nothing has changed, and nobody got in. Opening the page changes nothing yet.
message-recovery-begun-notice =
    .subject = Somebody wants to get into your { $service } account
    .sms = { $service }: recovery asked for. Not you? Use the next message.
    .body =
        Somebody says that they have lost the usual way into your { $service } account and wants to get in without it, as of
        { $at }. Another message tells how to stop it.
message-recovery-cancelled-notice =
    .subject = An attempt to get into your { $service } account was stopped
    .sms = { $service }: the attempt to get into your account was stopped.
    .body =
        Somebody said that they had lost the usual way into your { $service } account and wanted to get in without it. On
        { $at } that was stopped: with the token of our message, by a sign-in, or by the people who run { $service }. Nothing
        has changed.

        If it was not you who began it and somebody may know your password, choose another one. If it was you and you still
        cannot sign in, reset your password or begin again.
message-recovery-approval-notice =
    # $token: what stops it
    .subject = Somebody may get into your { $service } account now
    .sms = { $service }: stop it with { $token }
    .body =
        Somebody says that they have lost the usual way into your { $service } account. The people who run { $service } decided
        on { $at } that it is you: whoever it is can get in now. Second factors that were lost are removed then, and lost
        addresses and numbers leave 72 hours later.

        If it was you, you need not do anything. If it was not you, stop it now: give this token where { $service } asks for it.
        Or sign in: with a second factor that you had for three days before all this began, that stops it as well.

            { $token }

        Then tell the people who run { $service }.
    .link =
        Somebody says that they have lost the usual way into your { $service } account. The people who run { $service } decided
        on { $at } that it is you: whoever it is can get in now. Second factors that were lost are removed then, and lost
        addresses and numbers leave 72 hours later.

        If it was you, you need not do anything. If it was not you, stop it now on this page:

            { $link }

        Or give this token where { $service } asks for it:

            { $token }

        Or sign in: with a second factor that you had for three days before all this began, that stops it as well.

        Then tell the people who run { $service }. Opening the page changes nothing yet.
message-recovery-approved-notice =
    .subject = Somebody may get into your { $service } account now
    .sms = { $service }: recovery approved. Not you? Use the next message.
    .body =
        Somebody says that they have lost the usual way into your { $service } account. The people who run { $service } decided
        on { $at } that it is you. Another message tells how to stop it.
message-recovery-newcomer-notice =
    .subject = Somebody wants to get into your { $service } account
    .sms = { $service }: recovery asked for. Not you? See your older address.
    .body =
        Somebody says that they have lost the usual way into your { $service } account and wants to get in without it. It can
        succeed, as of { $at }, if nothing is done.

        If it was you, you need not do anything. This address came to the account too lately to stop it. If it was not you, look
        for the message to an address or number that the account had before: it can stop it. Or sign in: with a second factor
        that you had for three days before all this began, that stops it as well. Then change your password, make new recovery
        codes, and tell the people who run { $service }.
message-recovery-proved-notice =
    .subject = One more day until you can get back into { $service }
    .sms = { $service }: enough is proved. You can get back in a day from now.
    .body =
        You said that you cannot get into { $service }, and this address is where we reach you. As of { $at } enough is proved.
        You can get back in one day from then, unless the account's owner stops it; we tell you here when it is time.

        If it was not you who asked, somebody has used your address: tell the people who run { $service }.
message-recovery-open-notice =
    .subject = You can get back into { $service } now
    .sms = { $service }: you can get back in now. Go on where you began.
    .body =
        You said that you cannot get into { $service }, and this address is where we reach you. As of { $at } you can get back
        in: go on where you began. If you have closed that page, ask there to go on with this address.

        If it was not you who asked, somebody has used your address: tell the people who run { $service }.
message-recovery-undecided-notice =
    .subject = The wait for { $service } is over, and proofs are missing
    .sms = { $service }: the wait is over, proofs are missing. Go on there.
    .body =
        You said that you cannot get into { $service }, and this address is where we reach you. The wait is over as of { $at },
        and what was proved does not suffice. If you find something else that proves who you are, go on where you began and
        give it: you can get in a day later. If not, the people who run { $service } decide, and we tell you here.

        If it was not you who asked, somebody has used your address: tell the people who run { $service }.
message-recovery-stopped-notice =
    .subject = Getting back into { $service } was stopped
    .sms = { $service }: your way back in was stopped.
    .body =
        You said that you cannot get into { $service }, and this address is where we reach you. That was stopped on { $at }:
        by a sign-in, which may have been your own, by the owner of the account, or because others were begun after it.

        If you are signed in, you need not do anything. If you still cannot get in, you can begin again.

        If it was not you who asked, somebody has used your address: tell the people who run { $service }.
message-recovery-denied-notice =
    .subject = You cannot get back into { $service } in this way
    .sms = { $service }: you cannot get back in this way.
    .body =
        You said that you cannot get into { $service }, and this address is where we reach you. The people who run { $service }
        decided on { $at } that this does not go on. You can write to them, or begin again with other proofs.

        If it was not you who asked, somebody has used your address: tell the people who run { $service }.
message-recovery-completed-notice =
    .subject = Your { $service } account was recovered
    .sms = { $service }: your account was recovered. Devices are signed out.
    .body =
        Your account was recovered on { $at }, three days or more after somebody had asked for it. They gave proofs that the
        account is theirs, or the people who run { $service } decided so. Every device was signed out, and second factors that
        were lost are gone. Lost addresses and numbers work for 72 hours more, and then they leave.

        If it was not you, stop it: another message, which went to what is about to leave, has a token for that. Then tell
        the people who run { $service } at once.
message-recovery-kept-notice =
    .subject = Your { $service } account was recovered
    .sms = { $service }: your account was recovered. Devices are signed out.
    .body =
        Your account was recovered on { $at }, three days or more after somebody had asked for it. They gave proofs that the
        account is theirs, or the people who run { $service } decided so. Every device was signed out, and second factors that
        were lost are gone. Every address and number of the account stays.

        If it was you, add an address or number that reaches you, and remove what does not. If it was not you, tell the
        people who run { $service } at once.
message-recovery-contact-notice =
    .subject = This address was not added to your { $service } account
    .sms = { $service }: this number was not added to your account.
    .body =
        You got back into a { $service } account on { $at }, and this address is where we reached you. It was not added to the
        account: it belongs to another one, or the account has as many addresses and numbers as it may.

        If the other account is yours too, you can make them one: sign in to both, and ask in one of them to take the other
        one in. If not, add another address to the account that you got back.

        If it was not you, somebody has used your address: tell the people who run { $service }.
message-password-reset =
    .subject = Your new password for { $service }
    .sms = { $service } reset code: { $code } ({ $minutes } min)
    .body =
        Somebody, probably you, wants to set a new password for { $service }. Your code is

            { $code }

        Enter it where you asked for it. It is valid for { $minutes } minutes and works once.
        Nobody from { $service } will ever ask you for it.

        If it was not you, you need not do anything: your password stays as it is.
    .link =
        Somebody, probably you, wants to set a new password for { $service }. Open this page to choose it:

            { $link }

        Or enter this code where you asked for it:

            { $code }

        Both are valid for { $minutes } minutes, and one of them works once. Opening the page changes nothing yet.
        Nobody from { $service } will ever ask you for them.

        If it was not you, you need not do anything: your password stays as it is.
message-password-reset-held-notice =
    .subject = Your password for { $service } cannot be reset here yet
    .sms = { $service }: too new to reset your password here.
    .body =
        Somebody, probably you, asked on { $at } to reset your password for { $service } by a message to here.

        What was added to an account lately cannot reset its password for three days, so that nobody can take the account
        over by adding an address of their own. Use another address or number of your account, or wait.
        If it was not you, you need not do anything.
message-password-reset-notice =
    .subject = Your password for { $service } was reset
    .sms = { $service }: your password was reset. You are signed out.
    .body =
        Your password was set anew on { $at } by a message to one of your addresses or numbers. Every device was signed out.

        The next sign-in asks for your second factor, and not for one at the address or number that got the message.

        If it was not you, reset the password yourself, by another address or number of the account if it has one. If you
        cannot sign in then, ask to get your account back. Tell the people who run { $service } at once.
message-reset-without-factor-notice =
    .subject = Your password for { $service } was reset
    .sms = { $service }: your password was reset. You are signed out.
    .body =
        Your password was set anew on { $at } by a message to one of your addresses or numbers. Every device was signed out.

        Your account has no second factor yet. The next sign-in sends a code to an address or number of the account, and
        then asks you to set up a second factor.

        If it was not you, reset the password yourself, by another address or number of the account if it has one. If you
        cannot sign in then, ask to get your account back. Tell the people who run { $service } at once.
message-password-changed-notice =
    .subject = Your password for { $service } was changed
    .sms = { $service }: your password was changed.
    .body =
        Your password was changed on { $at }. Devices that were signed in with the old one were signed out.

        If it was not you, reset your password at once, and tell the people who run { $service }.
