/* wedge PID NAME: stops every thread of a process but the first and those of that name, as if each were stuck in a call that
 * does not return, until the process has gone. SIGSTOP cannot do that, as it always stops the whole process.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

static int is_named(const char *pid, int tid, const char *name)
{
    char path[64], found[32] = "";
    snprintf(path, sizeof path, "/proc/%s/task/%d/comm", pid, tid);
    FILE *file = fopen(path, "r");
    if (!file)
        return 0;
    if (fgets(found, sizeof found, file))
        found[strcspn(found, "\n")] = 0;
    fclose(file);
    return strcmp(found, name) == 0;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    char path[64];
    snprintf(path, sizeof path, "/proc/%s/task", argv[1]);
    DIR *tasks = opendir(path);
    if (!tasks) {
        perror(path);
        return 1;
    }
    int stopped = 0;
    for (struct dirent *task; (task = readdir(tasks));) {
        int tid = atoi(task->d_name);
        if (tid == 0 || tid == atoi(argv[1]) || is_named(argv[1], tid, argv[2]))
            continue;
        if (ptrace(PTRACE_SEIZE, tid, 0, 0) == 0 && ptrace(PTRACE_INTERRUPT, tid, 0, 0) == 0)
            stopped++;
    }
    closedir(tasks);
    printf("%d threads stopped\n", stopped);
    fflush(stdout);
    /* Each reports that it has stopped, and at the end that it has gone. */
    for (int status; waitpid(-1, &status, __WALL) > 0;)
        ;
    return 0;
}
