mkdir -p /tmp/www && echo "$GREETING from {{ .Release.Name }}" > /tmp/www/index.html
exec httpd -f -p 8080 -h /tmp/www
