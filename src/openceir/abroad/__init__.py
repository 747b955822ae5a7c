"""What we do at other members' doors: fetch their logs, let ours be witnessed, compare what each was shown."""
