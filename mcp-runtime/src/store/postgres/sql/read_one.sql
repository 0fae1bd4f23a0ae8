SELECT gone, $3::bigint > 0 AND expires_at - now() NOT BETWEEN $3::bigint * interval '0.9 ms' AND $3::bigint * interval '1 ms', content, revision
FROM sessions LEFT JOIN parts ON parts.session = sessions.session AND key = $2
WHERE sessions.session = $1 AND expires_at > now()
