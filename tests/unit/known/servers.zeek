#separator \x09
#set_separator	,
#empty_field	(empty)
#unset_field	-
#path	passiverecon
#open	
#fields	ts	uid	host	srvport	recon_type	source	value	targetval
#types	time	string	addr	port	enum	string	string	string
1795455822.283932	CfMwBoeaKQY3	10.99.0.2	25	PassiveRecon::TCP_SERVER_BANNER	-	220 localhost Python SMTP 1.4.3\x0d\x0a	-
1795455822.287545	CGnMj0VHOkoC	10.99.0.2	21	PassiveRecon::TCP_SERVER_BANNER	-	220 (vsFTPd 3.0.3)\x0d\x0a	-
1795455822.289519	CNezYsZqregA	10.99.0.2	110	PassiveRecon::TCP_SERVER_BANNER	-	+OK Dovecot (Debian) ready.\x0d\x0a	-
1795455822.318945	Cgz1Bhvqkq8K	10.99.0.2	143	PassiveRecon::TCP_SERVER_BANNER	-	* OK [CAPABILITY IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+ LOGINDISABLED] Dovecot (Debian) ready.\x0d\x0a	-
1795455822.329405	CCckhT5NX1N1	10.99.0.2	22	PassiveRecon::SSH_SERVER	-	SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u10	-
1795455822.350083	CuN6Qxilyo53	10.99.0.2	3306	PassiveRecon::TCP_SERVER_BANNER	-	d\x00\x00\x00\x0a5.5.5-10.11.19-MariaDB-0+deb12u1\x00\x03\x00\x00\x00x$I!ild1\x00\xfe\xf7\x08\x02\x00\xff\x81\x15\x00\x00\x00\x00\x00\x00\x1d\x00\x00\x00g2bwSuuj5h0P\x00mysql_native_password\x00	-
1795455822.351229	CCsThlxaa2d6	10.99.0.2	25	PassiveRecon::TCP_SERVER_BANNER	-	220 localhost Python SMTP 1.4.3\x0d\x0a	-
1795455822.351335	Cm8dURQhL4dF	10.99.0.2	25	PassiveRecon::TCP_SERVER_BANNER	-	220 localhost Python SMTP 1.4.3\x0d\x0a	-
1795455822.357210	CxEr1HWef0jB	10.99.0.2	25	PassiveRecon::TCP_SERVER_BANNER	-	220 localhost Python SMTP 1.4.3\x0d\x0a	-
1795455822.358057	CNlZy6GTOnAC	10.99.0.2	21	PassiveRecon::TCP_SERVER_BANNER	-	220 (vsFTPd 3.0.3)\x0d\x0a	-
1795455822.359929	Cw51PXuvDsEC	10.99.0.2	110	PassiveRecon::TCP_SERVER_BANNER	-	+OK Dovecot (Debian) ready.\x0d\x0a	-
1795455822.351079	CiJiXE8Y2W7J	10.99.0.2	22	PassiveRecon::SSH_SERVER	-	SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u10	-
1795455822.370528	C3YJCQ4JL4Q0	10.99.0.2	143	PassiveRecon::TCP_SERVER_BANNER	-	* OK [CAPABILITY IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+ LOGINDISABLED] Dovecot (Debian) ready.\x0d\x0a	-
1795455822.378856	Cf3SEq2hI21A	10.99.0.2	22	PassiveRecon::SSH_SERVER	-	SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u10	-
1795455825.392243	CzqnfBw8Tmj2	10.99.0.2	25	PassiveRecon::TCP_SERVER_BANNER	-	220 localhost Python SMTP 1.4.3\x0d\x0a	-
1795455825.392320	CwZKcHSULOq2	10.99.0.2	25	PassiveRecon::TCP_SERVER_BANNER	-	220 localhost Python SMTP 1.4.3\x0d\x0a	-
1795455825.392100	C92maWnHk4uB	10.99.0.2	22	PassiveRecon::SSH_SERVER	-	SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u10	-
#close	
