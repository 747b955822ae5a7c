/* SCTP sockets become TCP sockets: for machines whose kernel has no SCTP. One read gives one M3UA message. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>

#include <string.h>
#include <sys/socket.h>
#include <stdint.h>
#include <unistd.h>

/* As in netinet/sctp.h, whose package need not be installed. */
typedef int32_t sctp_assoc_t;
struct sctp_sndrcvinfo {
	uint16_t sinfo_stream, sinfo_ssn, sinfo_flags;
	uint32_t sinfo_ppid, sinfo_context, sinfo_timetolive, sinfo_tsn, sinfo_cumtsn;
	sctp_assoc_t sinfo_assoc_id;
};

static int (*real_socket)(int, int, int), (*real_setsockopt)(int, int, int, const void *, socklen_t),
	(*real_getsockopt)(int, int, int, void *, socklen_t *);
#define REAL(name) if (!real_##name) real_##name = dlsym(RTLD_NEXT, #name)

int socket(int domain, int type, int protocol)
{
	REAL(socket);
	return real_socket(domain, type, protocol == IPPROTO_SCTP ? IPPROTO_TCP : protocol);
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t size)
{
	REAL(setsockopt);
	return level == IPPROTO_SCTP ? 0 : real_setsockopt(fd, level, name, value, size);
}

int getsockopt(int fd, int level, int name, void *value, socklen_t *size)
{
	REAL(getsockopt);
	if (level != IPPROTO_SCTP)
		return real_getsockopt(fd, level, name, value, size);
	memset(value, 0, *size);
	return 0;
}

int sctp_bindx(int fd, struct sockaddr *address, int count, int flags)
{
	socklen_t size = address->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
	return bind(fd, address, size);
}

int sctp_connectx(int fd, struct sockaddr *address, int count, sctp_assoc_t *id)
{
	socklen_t size = address->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
	return connect(fd, address, size);
}

int sctp_recvmsg(int fd, void *into, size_t room, struct sockaddr *from, socklen_t *from_size,
		 struct sctp_sndrcvinfo *info, int *flags)
{
	unsigned char head[8];
	ssize_t got = recv(fd, head, sizeof head, MSG_PEEK | MSG_DONTWAIT);
	if (info) {
		memset(info, 0, sizeof *info);
		info->sinfo_ppid = htonl(3);
	}
	if (flags)
		*flags = MSG_EOR;
	if (got <= 0)
		return got;
	size_t length = (size_t)head[4] << 24 | head[5] << 16 | head[6] << 8 | head[7];
	if (got == sizeof head && length <= room) {
		got = recv(fd, into, length, MSG_PEEK | MSG_DONTWAIT);
		if (got == (ssize_t)length) {
			/* RFC 4666 1.4.7: user data never come on stream 0. TCP has no streams, so this says what SCTP would. */
			if (info)
				info->sinfo_stream = head[2] == 1;
			return recv(fd, into, length, 0);
		}
	}
	errno = EAGAIN;
	return -1;
}

int sctp_sendmsg(int fd, const void *data, size_t size, struct sockaddr *to, socklen_t to_size, uint32_t ppid,
		 uint32_t flags, uint16_t stream, uint32_t life, uint32_t context)
{
	return send(fd, data, size, MSG_NOSIGNAL);
}

int sctp_send(int fd, const void *data, size_t size, const struct sctp_sndrcvinfo *info, int flags)
{
	return send(fd, data, size, MSG_NOSIGNAL);
}
