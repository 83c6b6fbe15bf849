#include "anonymizer/name_notes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sealbook::anonymizer {
namespace {

TEST(NameNotesTest, WhatStandsBehindAnAddressIsSplitOff) {
  struct Case {
    const char *text, *name, *note;
  };
  for (const Case& c : std::initializer_list<Case>{
           {"김 씨-지성 민감성-여드름 에센스 구매", "김 씨", "지성 민감성-여드름 에센스 구매"},
           {"김서연님 - 건성", "김서연님", "건성"},
           {"박민수 고객님/오후 통화", "박민수 고객님", "오후 통화"},
           {"김서연님 지성 피부", "김서연님", "지성 피부"},
           {"이 씨 재구매 2회", "이 씨", "재구매 2회"},
           {"지민 엄마-아토피", "지민 엄마", "아토피"},
           {"지민엄마: 아토피, 무향만", "지민엄마", "아토피, 무향만"},
           {"최 사장－도매 50개", "최 사장", "도매 50개"},
           {"김민지-건성-수분크림 재구매", "김민지", "건성-수분크림 재구매"},
           {"김민지 (단골)", "김민지", "단골"},
           {"김여사: 당뇨", "김여사", "당뇨"},
           {"이지은(지민엄마)", "이지은", "지민엄마"},
           {"[블랙리스트] 김민지", "김민지", "블랙리스트"},
           {"【VIP】王芳", "王芳", "VIP"},
           {"王先生-过敏体质", "王先生", "过敏体质"},
           {"王女士 过敏 要发票", "王女士", "过敏 要发票"},
           {"李阿姨——糖尿病", "李阿姨", "糖尿病"},
           {"王芳（老客户，怕冷）", "王芳", "老客户，怕冷"},
           {"佐藤さん、アレルギー", "佐藤さん", "アレルギー"},
           {"Mrs. Kim - allergic to jasmine", "Mrs. Kim", "allergic to jasmine"},
           {"Ben's mother: calls on Friday", "Ben's mother", "calls on Friday"},
           {"Sr. Gómez / diabetes", "Sr. Gómez", "diabetes"}}) {
    const SplitName split = SplitNameNote(c.text);
    EXPECT_EQ(split.name, c.name) << c.text;
    EXPECT_EQ(split.note, c.note) << c.text;
  }
}

TEST(NameNotesTest, NamesStayWhole) {
  for (const char* name : {"",
                           "김",
                           "김서연",
                           "김 서연",
                           "김서연님",
                           "김 고객님",
                           "김서연 고객님",
                           "지민 엄마",
                           "남궁민수",
                           "이사",
                           "하늘",
                           "고양이-사료",
                           "서울-부산",
                           "Kim",
                           "Smith-Jones",
                           "Anna Meyer-Schmidt",
                           "Dr. Smith-Jones",
                           "Jean-Luc Picard",
                           "O'Neil",
                           "Kim, Minji",
                           "Hilton - Seoul City Center",
                           "김서연 (Kim Seoyeon)",
                           "김서연(金瑞姸)",
                           "王芳(왕방)",
                           "王芳 (Wang Fang)",
                           "卡尔·海因里希·马克思",
                           "존·F·케네디",
                           "王芳, 李明",
                           "Robert (Bob) Smith",
                           "Acme Trading (Seoul)",
                           "별빛상사 (본점)",
                           "홍콩반점 (강남점)",
                           "한빛상사 (대표 김철수)",
                           "-",
                           "--",
                           "()",
                           "( )",
                           "김서연 -",
                           "- 김서연",
                           "김서연 ()",
                           "Mr. Kim",
                           "Mrs. Anna Kim",
                           "王先生",
                           "佐藤さん"}) {
    const SplitName split = SplitNameNote(name);
    EXPECT_EQ(split.name, name);
    EXPECT_EQ(split.note, "") << name;
  }
}

TEST(NameNotesTest, NothingIsLost) {
  for (const char* text :
       {"김 씨-지성-", "김 씨--지성", "김 씨 - - 지성", "[a][b] 김민지", "김민지 (a) (b c)"}) {
    const SplitName split = SplitNameNote(text);
    for (const char* word : {"김", "지성", "a", "b"}) {
      if (std::string(text).find(word) == std::string::npos) continue;
      EXPECT_NE((split.name + "\n" + split.note).find(word), std::string::npos) << text;
    }
  }
}

}  // namespace
}  // namespace sealbook::anonymizer
